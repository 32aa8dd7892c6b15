import { makeInitFiles } from "#drivers/snapshot/init-files.ts";
import type { MountOptions } from "#drivers/snapshot/types.ts";
import { parseDigest } from "#lib/digest.ts";
import { mappedRoot } from "#lib/id-map.ts";
import { instancePaths, type Instance } from "#lib/instance.ts";
import type { ContainerRecord } from "#types/record/container.ts";
import type { ContainerDependencies } from "./dependencies.ts";
import { requestedSizeBytes } from "./size-limit.ts";
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
  await deps.snapshots.mount({ ...options, prepared: prepared && options.sized === undefined });
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
  { id, hostConfig, projectQuota: quota }: Pick<ContainerRecord, "id" | "hostConfig" | "projectQuota">,
): Pick<MountOptions, "upper" | "work" | "sized"> {
  const { upper, work, disk: file, limited: folder } = instancePaths(instance).container(id);
  const sizeBytes = quota?.sizeBytes ?? requestedSizeBytes(hostConfig) ?? 0;
  if (sizeBytes === 0) return { upper, work };
  return { upper: `${folder}/upper`, work: `${folder}/work`, sized: { file, folder, sizeBytes, ...(quota && { quota }) } };
}

/** The folder with what a container has written, readable also while it does not run. */
export async function openUpper(deps: Pick<ContainerDependencies, "instance" | "snapshots">, record: ContainerRecord): Promise<string> {
  const { upper, sized } = writableFolders(deps.instance, record);
  if (sized) await deps.snapshots.openSized(sized, false);
  return upper;
}

/** Of a container that runs since before this daemon: what the file system keeps is what the record says. A disk has its size. */
export async function keepSizeLimit(deps: Pick<ContainerDependencies, "instance" | "snapshots">, record: ContainerRecord): Promise<void> {
  const { sized } = writableFolders(deps.instance, record);
  if (sized?.quota) await deps.snapshots.openSized(sized, true);
}

/**
 * Takes the limit of a container's files away, and the disk that holds them, if one does; its tree must not be mounted.
 * @param container  of one without a record the id alone
 */
export async function removeSized(
  deps: Pick<ContainerDependencies, "instance" | "snapshots">,
  { id, projectQuota: quota }: Pick<ContainerRecord, "id" | "projectQuota">,
): Promise<void> {
  const { disk: file, limited: folder } = instancePaths(deps.instance).container(id);
  await deps.snapshots.removeSized({ file, folder, ...(quota && { quota }) });
}
