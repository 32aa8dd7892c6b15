import { mkdir, mkdtemp } from "node:fs/promises";
import { join } from "node:path";
import type { SnapshotterUnderTest } from "#drivers/snapshot/contract.ts";
import type { LayerSnapshotter } from "#drivers/snapshot/layer-snapshotter.ts";
import { openSnapshotter } from "#drivers/snapshot/probe.ts";
import type { StorageDriver } from "#drivers/snapshot/storage-driver.ts";
import { silentLogger } from "#lib/log.ts";
import { Kernel } from "#os/kernel.ts";
import { readMounts, unmount } from "#os/mount.ts";
import { removeTree } from "#os/remove-tree.ts";

/** A snapshotter on a fresh folder below /var/tmp: on a real file system, where EROFS is mounted from files. */
export async function preparePlace(
  name: StorageDriver,
): Promise<SnapshotterUnderTest & { open(other?: StorageDriver): Promise<LayerSnapshotter> }> {
  const folder = await mkdtemp(`/var/tmp/gantry-${name}-`);
  await mkdir(join(folder, "layers"));
  const kernel = new Kernel();
  return {
    folder,
    open: (other: StorageDriver = name) => openSnapshotter({ layers: join(folder, "layers") }, kernel, silentLogger, other),
    async dispose() {
      await kernel.close();
      // Merged trees before their layers.
      for (const { target } of readMounts().toReversed()) if (target.startsWith(`${folder}/`)) unmount(target);
      removeTree(folder); // helpers may be removing what is in it as well
    },
  };
}
