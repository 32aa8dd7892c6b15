import { isDigest, type Digest } from "#lib/digest.ts";
import { EngineError, messageOf } from "#lib/errors.ts";
import { parseJson } from "#lib/parse-json.ts";
import type { ImageConfig } from "#types/oci/image.ts";
import { hostPlatform } from "./platform.ts";

/** Overlay takes 500 layers; Docker ends at 125. */
const maximumLayers = 500;

/**
 * Reads the config of an image and checks every field that is used later. Fields that are null are left out, as Go reads them.
 * @throws {EngineError} `invalid`
 * Source: OCI image-spec, config.md.
 */
export function parseImageConfig(bytes: Uint8Array): ImageConfig {
  const config = objectIn(parseDocument(bytes), "image config");
  for (const name of ["architecture", "os", "os.version", "variant", "created", "author", "comment", "docker_version", "parent"])
    optional(config[name], name, isText);
  const rootfs = objectIn(config["rootfs"], "rootfs");
  const diffIds = rootfs["diff_ids"] ?? [];
  if (!isListOf(diffIds, isDiffId)) throw bad("rootfs.diff_ids must be a list of sha256 digests");
  if (diffIds.length > maximumLayers) throw bad(`more than ${maximumLayers} layers`);
  const checked = {
    ...config,
    // As Docker: an image that does not say is for this machine.
    os: config["os"] || hostPlatform.os,
    architecture: config["architecture"] || hostPlatform.architecture,
    rootfs: { type: "layers", diff_ids: diffIds },
    ...(config["history"] !== undefined && { history: checkedHistory(config["history"]) }),
    ...(config["config"] !== undefined && { config: checkedRunConfig(config["config"]) }),
  };
  // Every field of the type that anything here reads has been looked at.
  return checked as unknown as ImageConfig;
}

function parseDocument(bytes: Uint8Array): unknown {
  try {
    return parseJson(bytes);
  } catch (error) {
    throw new EngineError("invalid", `invalid image config: ${messageOf(error)}`, { cause: error });
  }
}

/** Diff ids of a config that has been parsed. */
export function diffIdsOf(config: ImageConfig): Digest[] {
  return config.rootfs.diff_ids.filter(isDigest);
}

const textLists = ["Env", "Entrypoint", "Cmd", "OnBuild", "Shell"];
const texts = ["User", "WorkingDir", "StopSignal"];
const sets = ["ExposedPorts", "Volumes"];

function checkedRunConfig(value: unknown): Record<string, unknown> {
  const config = objectIn(value, "config");
  for (const name of textLists) optional(config[name], name, (field) => isListOf(field, isText));
  for (const name of texts) optional(config[name], name, isText);
  for (const name of sets) optional(config[name], name, isObject);
  optional(config["Labels"], "Labels", (field) => isObject(field) && Object.values(field).every(isText));
  optional(config["StopTimeout"], "StopTimeout", Number.isSafeInteger);
  optional(config["ArgsEscaped"], "ArgsEscaped", (field) => typeof field === "boolean");
  return { ...config, ...(config["Healthcheck"] !== undefined && { Healthcheck: checkedHealth(config["Healthcheck"]) }) };
}

function checkedHealth(value: unknown): Record<string, unknown> {
  const health = objectIn(value, "Healthcheck");
  optional(health["Test"], "Healthcheck.Test", (field) => isListOf(field, isText));
  for (const name of ["Interval", "Timeout", "StartPeriod", "StartInterval", "Retries"])
    optional(health[name], `Healthcheck.${name}`, Number.isSafeInteger);
  return health;
}

function checkedHistory(value: unknown): Record<string, unknown>[] {
  if (!isListOf(value, isObject)) throw bad("history must be a list of objects");
  return value.map((entry) => {
    const step = objectIn(entry, "history");
    for (const name of ["created", "created_by", "author", "comment"]) optional(step[name], `history.${name}`, isText);
    optional(step["empty_layer"], "history.empty_layer", (field) => typeof field === "boolean");
    return step;
  });
}

function optional(value: unknown, name: string, isValid: (value: unknown) => boolean): void {
  if (value !== undefined && !isValid(value)) throw bad(`${name} has the wrong type`);
}

function isText(value: unknown): value is string {
  return typeof value === "string";
}

function isDiffId(value: unknown): value is string {
  return typeof value === "string" && value.startsWith("sha256:") && isDigest(value);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isListOf<T>(value: unknown, isElement: (element: unknown) => element is T): value is T[] {
  return Array.isArray(value) && value.every(isElement);
}

/** Fields that are null count as absent. */
function objectIn(value: unknown, name: string): Record<string, unknown> {
  if (!isObject(value)) throw bad(`${name} must be an object`);
  return Object.fromEntries(Object.entries(value).filter(([, field]) => field !== null));
}

function bad(reason: string): EngineError {
  return new EngineError("invalid", `invalid image config: ${reason}`);
}
