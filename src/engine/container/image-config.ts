import { posix } from "node:path";
import { sortKeys } from "#lib/sort-keys.ts";
import type { ContainerConfig } from "#types/engine-api/index.ts";
import type { ImageRunConfig } from "#types/oci/image.ts";

/**
 * What the image says, where the request says nothing. An entrypoint of the request drops the image's command; an empty one drops only the
 * image's entrypoint, and `[""]` means none at all.
 */
export function mergeImageConfig(config: ContainerConfig, image: ImageRunConfig): ContainerConfig {
  const entrypoint = config.Entrypoint ?? image.Entrypoint ?? null;
  const dropsCommand = (config.Entrypoint ?? []).length > 0;
  const cmd = config.Cmd && config.Cmd.length > 0 ? config.Cmd : dropsCommand ? null : (image.Cmd ?? null);
  const environment = [...(config.Env ?? [])];
  const named = new Set(environment.map((entry) => entry.split("=")[0]));
  for (const entry of image.Env ?? []) if (!named.has(entry.split("=")[0])) environment.push(entry);
  return {
    ...config,
    Cmd: cmd,
    Entrypoint: entrypoint?.length === 1 && entrypoint[0] === "" ? null : entrypoint,
    Env: environment,
    User: config.User || image.User || "",
    WorkingDir: cleanPath(config.WorkingDir || image.WorkingDir || ""),
    Labels: sortKeys({ ...image.Labels, ...config.Labels }),
    ExposedPorts: mergeKeys(image.ExposedPorts, config.ExposedPorts),
    Volumes: mergeKeys(image.Volumes, config.Volumes),
    ...((config.StopSignal || image.StopSignal) && { StopSignal: config.StopSignal || image.StopSignal }),
    ...mergeHealthcheck(config.Healthcheck, image.Healthcheck),
    ...(image.OnBuild && { OnBuild: image.OnBuild }),
    ...(config.Shell === undefined && image.Shell && { Shell: image.Shell }),
  };
}

/** Field by field: what the request leaves at zero is the image's. Source: Engine API, HealthConfig. */
function mergeHealthcheck(own: ContainerConfig["Healthcheck"], image: ImageRunConfig["Healthcheck"]): Pick<ContainerConfig, "Healthcheck"> {
  if (!own) return image ? { Healthcheck: image } : {};
  if (!image) return { Healthcheck: own };
  const set = Object.fromEntries(Object.entries(own).filter(([, value]) => (Array.isArray(value) ? value.length > 0 : Boolean(value))));
  return { Healthcheck: { ...image, ...set } };
}

/** Without `.`, `..` and a slash at the end. */
function cleanPath(path: string): string {
  return path === "" ? "" : posix.normalize(path).replace(/(.)\/$/, "$1");
}

type KeySet = Readonly<Record<string, Readonly<Record<string, never>>>>;

function mergeKeys(...sets: (Readonly<Record<string, object>> | null | undefined)[]): KeySet {
  const keys: Record<string, Readonly<Record<string, never>>> = Object.create(null) as Record<string, Readonly<Record<string, never>>>;
  for (const set of sets) for (const key of Object.keys(set ?? {})) keys[key] = {};
  return sortKeys(keys);
}
