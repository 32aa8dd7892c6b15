// Run by vfs.test.ts: makes a container's copy of its image and removes it, again and again, until it is killed.
import { rename, rm } from "node:fs/promises";
import { parseDigest } from "#lib/digest.ts";
import { openSnapshotter } from "#drivers/snapshot/probe.ts";
import { silentLogger } from "#lib/log.ts";
import { Kernel } from "#os/kernel.ts";

const [layersFolder = "", folder = "", ...layers] = process.argv.slice(2);
const snapshots = await openSnapshotter({ layers: layersFolder }, new Kernel(), silentLogger, "vfs");
const container = { upper: `${folder}/upper`, work: `${folder}/work`, target: `${folder}/rootfs`, volatile: true };
const gone = `${folder}/gone`;
for (;;) {
  await rm(gone, { recursive: true, force: true });
  await snapshots.mount({ ...container, layers: layers.map(parseDigest) });
  await snapshots.unmount(container.target);
  await rename(container.upper, gone);
}
