import { EngineError } from "#lib/errors.ts";
import { randomId } from "#lib/id.ts";
import type { ContainerConfig, HostConfig } from "#types/engine-api/index.ts";
import type { ContainerRecord } from "#types/record/container.ts";
import { parseBind } from "./bind.ts";
import { cleanDestination } from "./destination.ts";
import { parseMount } from "./mount.ts";
import { parseTmpfs } from "./tmpfs.ts";
import { parseVolumesFrom } from "./volumes-from.ts";
import type { WantedMount } from "./wanted.ts";

/**
 * All mounts of a new container: binds, `--mount`, tmpfs, those of other containers, and anonymous volumes for what the image declares.
 * A destination named twice is refused; what the image declares yields to what the user says.
 */
export function parseMounts(
  config: ContainerConfig,
  host: HostConfig,
  recursiveReadOnly: boolean,
  containerOf: (name: string) => ContainerRecord | undefined,
): WantedMount[] {
  const mounts = new Map<string, WantedMount>();
  const add = (mount: WantedMount, replaces = false): void => {
    if (!replaces && mounts.has(mount.destination)) throw new EngineError("invalid", `Duplicate mount point: ${mount.destination}`);
    mounts.set(mount.destination, mount);
  };
  // Those of other containers come first: everything said for this one goes before them.
  for (const text of host.VolumesFrom ?? []) for (const mount of parseVolumesFrom(text, containerOf)) add(mount, true);
  const own = [
    ...(host.Binds ?? []).map((text) => parseBind(text, host.VolumeDriver || "local", recursiveReadOnly)),
    ...(host.Mounts ?? []).map((mount) => parseMount(mount, recursiveReadOnly)),
    ...Object.entries(host.Tmpfs ?? {}).map(([destination, options]) => parseTmpfs(destination, options)),
  ];
  const seen = new Set<string>();
  for (const mount of own) {
    if (seen.has(mount.destination)) throw new EngineError("invalid", `Duplicate mount point: ${mount.destination}`);
    seen.add(mount.destination);
    add(mount, true);
  }
  for (const destination of Object.keys(config.Volumes ?? {})) {
    const clean = cleanDestination(destination);
    if (!mounts.has(clean)) add(anonymousVolume(clean, host.VolumeDriver || "local"));
  }
  return [...mounts.values()];
}

function anonymousVolume(destination: string, driver: string): WantedMount {
  return {
    type: "volume",
    name: randomId(),
    driver,
    source: "",
    destination,
    mode: "",
    writable: true,
    propagation: "",
    anonymous: true,
    noCopy: false,
  };
}
