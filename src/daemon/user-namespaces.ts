import { statSync } from "node:fs";
import { dirname } from "node:path";
import { idmapLack } from "#drivers/snapshot/idmap-probe.ts";
import type { StorageDriverName } from "#drivers/snapshot/storage-driver.ts";
import { EngineError } from "#lib/errors.ts";
import { instancePaths, type Instance } from "#lib/instance.ts";
import type { Logger } from "#lib/log.ts";
import type { Kernel } from "#os/kernel.ts";
import type { IdMap } from "#types/record/id-map.ts";
import { hostUsers, readIdMap } from "./subordinate-ids.ts";

/**
 * The map of containers' user namespaces, if the daemon is to give them some.
 * @throws {EngineError} `invalid` with what this host lacks for it: nothing runs as the host's root that was to be kept from it
 */
export async function openUserNamespaces(
  option: string | undefined,
  parts: { readonly instance: Instance; readonly kernel: Kernel; readonly log: Logger; readonly driver: StorageDriverName },
): Promise<IdMap | undefined> {
  if (option === undefined) return undefined;
  const map = await readIdMap(option, hostUsers);
  if (map === undefined) {
    parts.log.warn("root cannot be mapped to itself: containers have no user namespaces", { usernsRemap: option });
    return undefined;
  }
  const { layers } = instancePaths(parts.instance);
  const lack = await idmapLack(layers, parts.kernel, parts.driver, map);
  if (lack !== undefined) throw new EngineError("invalid", `--userns-remap: root file systems below ${layers} cannot be mapped: ${lack}`);
  refuseClosed(parts.instance.execRoot);
  parts.log.info("containers have user namespaces", { uids: map.uids, gids: map.gids });
  return map;
}

/** Runtimes look the root file system up as the container's root, who is nobody here. */
function refuseClosed(execRoot: string): void {
  for (let folder = execRoot; folder !== "/"; folder = dirname(folder)) {
    if ((statSync(folder).mode & 0o001) === 0)
      throw new EngineError(
        "invalid",
        `--userns-remap: exec-root ${execRoot} cannot be used: ${folder} lets only its owner in (chmod o+x)`,
      );
  }
}
