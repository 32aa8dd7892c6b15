import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import type { SnapshotterUnderTest } from "#drivers/snapshot/contract.ts";
import { openSnapshotter } from "#drivers/snapshot/probe.ts";
import { silentLogger } from "#lib/log.ts";
import { Kernel } from "#os/kernel.ts";
import { readMounts, unmount } from "#os/mount.ts";

/** A snapshotter on a fresh folder below /var/tmp: a real file system, which tmpfs is not for EROFS. */
export async function preparePlace(name: "erofs" | "unpacked"): Promise<SnapshotterUnderTest> {
  const folder = await mkdtemp(`/var/tmp/gantry-${name}-`);
  await mkdir(join(folder, "layers"));
  const kernel = new Kernel();
  return {
    folder,
    open: () => openSnapshotter({ layers: join(folder, "layers") }, kernel, silentLogger, name),
    async dispose() {
      await kernel.close();
      // Merged trees before their layers.
      for (const { target } of readMounts().toReversed()) if (target.startsWith(`${folder}/`)) unmount(target);
      await rm(folder, { recursive: true, force: true });
    },
  };
}
