import { makeInitFiles } from "#drivers/snapshot/init-files.ts";
import type { MountOptions } from "#drivers/snapshot/types.ts";
import { parseDigest } from "#lib/digest.ts";
import { mappedRoot } from "#lib/id-map.ts";
import { instancePaths, type Instance } from "#lib/instance.ts";
import type { ContainerRecord } from "#types/record/container.ts";
import type { ContainerDependencies } from "./dependencies.ts";
import { sizeLimitBytes } from "./size-limit.ts";
import { idMapOf } from "./user-namespace.ts";

type RootfsDependencies = Pick<ContainerDependencies, "containers" | "instance" | "settings">;

/**
 * Mounts a container's root file system, with what every container has beside its image.
 * @param prepared  its folders were made by `prepareRootfs`
 */
export async function mountRootfs(
  deps: RootfsDependencies & Pick<ContainerDependencies, "snapshots">,
  record: ContainerRecord,
  prepared = false,
): Promise<void> {
  const options = rootfsOptions(deps, record);
  await deps.snapshots.mount({ ...options, prepared: prepared && options.disk === undefined });
  makeInitFiles(options.target, options.idMap && mappedRoot(options.idMap));
}

/** Makes the folders of a container that is still to come: one without a limit of its size. */
export function prepareRootfs({ instance, snapshots }: Pick<ContainerDependencies, "instance" | "snapshots">, id: string): Promise<void> {
  const { upper, work, rootfs: target } = instancePaths(instance).container(id);
  return snapshots.prepareFolders({ upper, work, target });
}

/** What a container's root file system is made of. */
export function rootfsOptions(deps: RootfsDependencies, record: ContainerRecord): MountOptions {
  const layers = record.layers.map(parseDigest);
  const idMap = idMapOf(deps, record);
  return {
    layers,
    ...writableFolders(deps.instance, record),
    target: instancePaths(deps.instance).container(record.id).rootfs,
    volatile: record.volatile,
    ...(idMap && { idMap }),
  };
}

/** Where lies what a container has written. */
export function writableFolders(
  instance: Pick<Instance, "dataRoot" | "execRoot">,
  { id, hostConfig }: Pick<ContainerRecord, "id" | "hostConfig">,
): Pick<MountOptions, "upper" | "work" | "disk"> {
  const { upper, work, disk: file, limited: folder } = instancePaths(instance).container(id);
  const sizeBytes = sizeLimitBytes(hostConfig);
  if (sizeBytes === 0) return { upper, work };
  return { upper: `${folder}/upper`, work: `${folder}/work`, disk: { file, folder, sizeBytes } };
}

/** The folder with what a container has written, readable also while it does not run. */
export async function openUpper(deps: Pick<ContainerDependencies, "instance" | "snapshots">, record: ContainerRecord): Promise<string> {
  const { upper, disk } = writableFolders(deps.instance, record);
  if (disk) await deps.snapshots.openDisk(disk);
  return upper;
}

/** Removes what holds the files of a container with a limited size; its tree must not be mounted. */
export async function removeDisk(deps: Pick<ContainerDependencies, "instance" | "snapshots">, id: string): Promise<void> {
  const { disk: file, limited: folder } = instancePaths(deps.instance).container(id);
  await deps.snapshots.removeDisk({ file, folder });
}
