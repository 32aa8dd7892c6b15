import { makeInitFiles } from "#drivers/snapshot/init-files.ts";
import { parseDigest } from "#lib/digest.ts";
import { instancePaths } from "#lib/instance.ts";
import type { ContainerRecord } from "#types/record/container.ts";
import type { ContainerDependencies } from "./dependencies.ts";

/** Mounts a container's root file system, with what every container has beside its image. */
export async function mountRootfs(deps: Pick<ContainerDependencies, "instance" | "snapshots">, record: ContainerRecord): Promise<void> {
  const { upper, work, rootfs } = instancePaths(deps.instance).container(record.id);
  await deps.snapshots.mount({ layers: record.layers.map(parseDigest), upper, work, target: rootfs, volatile: record.volatile });
  makeInitFiles(rootfs);
}
