// Run by kill.test.ts: imports the given archives on top of each other, removes them, and so on until it is killed.
import { chainIds } from "#drivers/snapshot/chain-id.ts";
import { openSnapshotter } from "#drivers/snapshot/probe.ts";
import { parseStorageDriver } from "#drivers/snapshot/storage-driver.ts";
import type { DiffId } from "#drivers/snapshot/types.ts";
import { silentLogger } from "#lib/log.ts";
import { Kernel } from "#os/kernel.ts";

const [layersFolder = "", form = "", ...archives] = process.argv.slice(2);
const snapshots = await openSnapshotter({ layers: layersFolder }, new Kernel(), silentLogger, parseStorageDriver(form));
const { signal } = new AbortController();
for (;;) {
  const layers: DiffId[] = [];
  for (const path of archives) layers.push((await snapshots.importLayer({ path, parents: [...layers] }, signal)).diffId);
  for (const chainId of chainIds(layers).reverse()) await snapshots.removeLayer(chainId);
}
