import { expect, test } from "bun:test";
import { mkdir, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { snapshotterContract } from "#drivers/snapshot/contract.ts";
import { layerPaths } from "#drivers/snapshot/layer-store.ts";
import { archive, member } from "#lib/tar/fixtures.ts";
import { until } from "../../support/until.ts";
import { preparePlace } from "./place.ts";

snapshotterContract("UnpackedSnapshotter", () => preparePlace("overlay2"));

test("files of removed layers go from the disk before the next layer needs their room, and those that a kill left too", async () => {
  const place = await preparePlace("overlay2");
  try {
    const { chains, temporary } = layerPaths(join(place.folder, "layers"));
    const { signal } = new AbortController();
    const path = join(place.folder, "blob");
    await writeFile(path, archive(...Array.from({ length: 5000 }, (_, index) => member(`d/${index}`, {}, `${index}`))));
    const snapshots = await place.open();
    const { chainId } = await snapshots.importLayer({ path, parents: [] }, signal);
    await snapshots.removeLayer(chainId);
    expect([await readdir(chains), await snapshots.layers()]).toEqual([[], []]);
    await snapshots.importLayer({ path, parents: [] }, signal);
    expect(await readdir(temporary)).toEqual([]);

    await mkdir(join(temporary, "left/behind"), { recursive: true });
    await place.open();
    await until(async () => (await readdir(temporary)).length === 0);
  } finally {
    await place.dispose();
  }
}, 30_000);
