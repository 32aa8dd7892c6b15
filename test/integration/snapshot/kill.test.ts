import { expect, test } from "bun:test";
import { readdirSync, readlinkSync } from "node:fs";
import { readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { layerPaths } from "#drivers/snapshot/layer-store.ts";
import type { DiffId } from "#drivers/snapshot/types.ts";
import { archive, member } from "#lib/tar/fixtures.ts";
import { until } from "../../support/until.ts";
import { preparePlace } from "./place.ts";

const rounds = 15;

/** Processes that have a file below a folder open. */
function processesUsing(folder: string): string[] {
  return readdirSync("/proc").filter((pid) => {
    if (!/^\d+$/.test(pid)) return false;
    try {
      return readdirSync(`/proc/${pid}/fd`).some((fd) => readlinkSync(`/proc/${pid}/fd/${fd}`).startsWith(`${folder}/`));
    } catch {
      return false; // ended while we looked
    }
  });
}

test.each(["erofs", "overlay2", "vfs"] as const)(
  "F1, F2: killed at any moment of importing and removing, a layer of %s is whole or absent",
  async (form) => {
    const place = await preparePlace(form);
    try {
      const files = (layer: number) =>
        Array.from({ length: 200 }, (_, index) => member(`tmp/${layer}-${index}`, {}, Buffer.alloc(9000, `${index}`)));
      const contents = [archive(member("tmp/", { mode: 0o1777 }), ...files(0)), archive(...files(1)), archive(...files(2))];
      const paths = contents.map((_, index) => join(place.folder, `${index}.tar.gz`));
      for (const [index, path] of paths.entries()) await writeFile(path, gzipSync(contents[index]!));
      const { chains, tars, temporary } = layerPaths(join(place.folder, "layers"));
      for (let round = 0; round < rounds; round++) {
        const loop = Bun.spawn([process.execPath, join(import.meta.dir, "import-loop.ts"), join(place.folder, "layers"), form, ...paths], {
          stdio: ["ignore", "inherit", "inherit"],
        });
        // From before the first folder is made to the second time around, in uneven steps.
        await Bun.sleep(60 + round * 37);
        loop.kill("SIGKILL");
        await loop.exited;
        while (processesUsing(place.folder).length > 0) await Bun.sleep(2); // its helper dies with it

        const snapshots = await place.open();
        await until(async () => (await readdir(temporary)).length === 0);
        for (const chainId of await snapshots.layers()) await snapshots.verify(chainId, new AbortController().signal);
        const layers: DiffId[] = [];
        for (const path of paths) {
          const { diffId } = await snapshots.importLayer({ path, parents: [...layers] }, new AbortController().signal);
          layers.push(diffId);
        }
        for (const chainId of (await snapshots.layers()).toReversed()) await snapshots.removeLayer(chainId);
        expect([await readdir(chains), await readdir(tars)]).toEqual([[], []]);
      }
      await until(async () => (await readdir(temporary)).length === 0); // files go after the answer
    } finally {
      await place.dispose();
    }
  },
  120_000,
);
