import type { RuntimeProcess, StartingContainer } from "#drivers/runtime/types.ts";
import { instancePaths } from "#lib/instance.ts";
import type { RuntimeSpec } from "#types/oci/runtime-spec.ts";
import type { ContainerRecord } from "#types/record/container.ts";
import type { ContainerDependencies } from "./dependencies.ts";
import { containerFileTexts, type ContainerFileTexts, usesEmbeddedResolver, writeContainerFiles } from "./files.ts";
import { sharedOwner } from "./shared-mode.ts";
import { sizeLimitOf } from "./size-limit.ts";
import { resolveSpec } from "./spec/resolve.ts";
import { idMapOf } from "./user-namespace.ts";

/** A container whose first process waits, made before its start was asked for. It is what is wanted if the start has the same configuration. */
export interface MadeAhead {
  readonly spec: RuntimeSpec;
  readonly files: ContainerFileTexts;
  /** Rejects when the runtime could not make it: what was missing may be there at the start. */
  readonly process: Promise<RuntimeProcess>;
}

/**
 * Has the runtime make a container that was just created: that takes the larger part of a start, and the client is about to ask for it.
 * Addresses, links, ports and the content of its files come with the start.
 * @param mounted  when its root file system is there
 * @returns undefined for one that depends on more of the host than its own files
 */
export async function makeAhead(
  deps: ContainerDependencies,
  record: ContainerRecord,
  starting: StartingContainer,
  mounted: Promise<void>,
): Promise<MadeAhead | undefined> {
  if (!standsAlone(record) || idMapOf(deps, record) !== undefined) return undefined;
  const names = { ...deps.settings, hostGateway: deps.networks.hostGateway };
  const files = containerFileTexts(record, undefined, names, usesEmbeddedResolver(deps, record));
  await Promise.all([mounted, writeContainerFiles(instancePaths(deps.instance).container(record.id), files)]);
  const netnsPath = record.hostConfig.NetworkMode === "host" ? undefined : deps.networkDriver.reserveNamespace(record.id);
  const spec = resolveSpec(deps, record, { netnsPath, mounts: [] });
  const process = starting.create(spec);
  process.catch(() => undefined); // told by the start
  return { spec, files, process };
}

/** Nothing of other containers and nothing of the host is in it, which may change until the start without its configuration changing. */
function standsAlone(record: ContainerRecord): boolean {
  const { hostConfig: host, mounts, links = [] } = record;
  const modes = [host.NetworkMode, host.PidMode, host.IpcMode];
  return (
    mounts.length === 0 &&
    links.length === 0 &&
    modes.every((mode) => sharedOwner(mode ?? "") === undefined) &&
    (host.Devices ?? []).length === 0 &&
    (host.DeviceRequests ?? []).length === 0 &&
    !host.Privileged &&
    !host.CpuRealtimeRuntime &&
    sizeLimitOf(record) !== "disk"
  );
}
