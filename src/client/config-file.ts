import { EngineError, messageOf } from "#lib/errors.ts";

/** What the client reads of Docker's `config.json`; other keys belong to other commands and stay untouched. */
export interface ConfigFile {
  /** Folder of config.json, of `contexts/` and of the default certificates. */
  readonly folder: string;
  readonly currentContext?: string;
  readonly detachKeys?: string;
  readonly httpHeaders: Readonly<Record<string, string>>;
  readonly auths: Readonly<Record<string, StoredAuth>>;
  readonly credsStore?: string;
  readonly credHelpers: Readonly<Record<string, string>>;
  /** By daemon address, or `default`: values for HTTP_PROXY and its like in new containers. */
  readonly proxies: Readonly<Record<string, Readonly<Record<string, string>>>>;
  /** `label=…` and `label!=…`: every prune is limited to these. */
  readonly pruneFilters: readonly string[];
  /** Default formats of tables by their key (`psFormat`, `imagesFormat`, …). */
  readonly formats: Readonly<Record<string, string>>;
}

export interface StoredAuth {
  readonly auth?: string;
  readonly username?: string;
  readonly password?: string;
  readonly identitytoken?: string;
  readonly registrytoken?: string;
}

/** `--config`, DOCKER_CONFIG, or `~/.docker`. */
export function configFolder(option: string | undefined, environment: Readonly<Record<string, string | undefined>>): string {
  if (option) return option;
  return environment["DOCKER_CONFIG"] || `${environment["HOME"] ?? ""}/.docker`;
}

/** @throws {EngineError} `invalid` when the file is there and is no JSON object. */
export async function readConfigFile(folder: string): Promise<ConfigFile> {
  const path = `${folder}/config.json`;
  const text = readAtOnce(path);
  if (text === undefined) return parseConfigFile(folder, {});
  try {
    return parseConfigFile(folder, parseObject(text));
  } catch (error) {
    throw new EngineError("invalid", `WARNING: Error parsing config file (${path}): ${messageOf(error)}`);
  }
}

/**
 * By a mapping: a read beside the event loop would begin threads for which most commands have no other use, at half a millisecond.
 * @returns undefined when there is no such file, or none that can be read
 */
function readAtOnce(path: string): string | undefined {
  try {
    return new TextDecoder().decode(Bun.mmap(path, { shared: false }));
  } catch (error) {
    const isEmpty = error instanceof Error && "code" in error && error.code === "EINVAL"; // nothing can be mapped of it
    return isEmpty ? "" : undefined;
  }
}

/** With Go's words for the faults that happen: a file cut off, and one that is no object. @throws {Error} */
function parseObject(text: string): unknown {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    if (messageOf(error).includes("Unexpected EOF") || /Expected '[}\]]'$/.test(messageOf(error)))
      throw new Error("unexpected EOF", { cause: error });
    throw error;
  }
  if (Array.isArray(value)) throw new Error("json: cannot unmarshal array into Go value of type configfile.ConfigFile");
  return value;
}

function parseConfigFile(folder: string, value: unknown): ConfigFile {
  const file = asObject(value);
  const formats: Record<string, string> = {};
  for (const [key, format] of Object.entries(file)) if (key.endsWith("Format") && typeof format === "string") formats[key] = format;
  return {
    folder,
    ...optionalText("currentContext", file["currentContext"]),
    ...optionalText("detachKeys", file["detachKeys"]),
    ...optionalText("credsStore", file["credsStore"]),
    httpHeaders: asTexts(file["HttpHeaders"]),
    credHelpers: asTexts(file["credHelpers"]),
    auths: Object.fromEntries(Object.entries(asObject(file["auths"])).map(([host, auth]) => [host, asTexts(auth)])),
    proxies: Object.fromEntries(Object.entries(asObject(file["proxies"])).map(([host, proxy]) => [host, asTexts(proxy)])),
    formats,
    pruneFilters: asList(file["pruneFilters"]),
  };
}

function optionalText<K extends string>(key: K, value: unknown): { [key in K]?: string } {
  // The computed key makes TypeScript widen the type; it is exactly this one key.
  return typeof value === "string" && value !== "" ? ({ [key]: value } as { [key in K]?: string }) : {};
}

function asObject(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {};
}

function asList(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((one) => typeof one === "string") : [];
}

function asTexts(value: unknown): Record<string, string> {
  const texts: Record<string, string> = {};
  for (const [key, text] of Object.entries(asObject(value))) if (typeof text === "string") texts[key] = text;
  return texts;
}
