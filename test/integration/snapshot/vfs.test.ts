import { expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { chown, mkdir, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { chainIds } from "#drivers/snapshot/chain-id.ts";
import { snapshotterContract } from "#drivers/snapshot/contract.ts";
import { layerPaths } from "#drivers/snapshot/layer-store.ts";
import type { StorageDriverName } from "#drivers/snapshot/storage-driver.ts";
import type { DiffId, FileChange, Snapshotter } from "#drivers/snapshot/types.ts";
import { archive, member } from "#lib/tar/fixtures.ts";
import { ConfinedDirectory } from "#os/confined.ts";
import { readMounts } from "#os/mount.ts";
import { until } from "../../support/until.ts";
import { describeTree } from "./describe-tree.ts";
import { preparePlace } from "./place.ts";

snapshotterContract("VfsSnapshotter", () => preparePlace("vfs"));

const { signal } = new AbortController();

const archives = [
  archive(member("etc/"), member("etc/a", {}, "a"), member("etc/b", {}, "b"), member("d/", { mode: 0o1777 }), member("d/x", {}, "x")),
  archive(member("etc/"), member("etc/.wh.a"), member("etc/c", {}, "c"), member("d/y", {}, "y")),
];

async function importLayers(snapshots: Snapshotter, folder: string, contents = archives): Promise<DiffId[]> {
  const layers: DiffId[] = [];
  for (const [index, bytes] of contents.entries()) {
    const path = join(folder, `blob-${index}`);
    await writeFile(path, bytes);
    layers.push((await snapshots.importLayer({ path, parents: [...layers] }, signal)).diffId);
  }
  return layers;
}

const containerOf = (folder: string, name = "c") => ({
  upper: join(folder, name, "upper"),
  work: join(folder, name, "work"),
  target: join(folder, name, "rootfs"),
  volatile: true,
});

/** As a container: one file changed, one gone, one new. */
async function change(root: string): Promise<void> {
  await writeFile(join(root, "etc/b"), "changed");
  await rm(join(root, "d/x"));
  await writeFile(join(root, "new"), "new");
}
const changes: FileChange[] = [
  { path: "/d", kind: 0 },
  { path: "/d/x", kind: 2 },
  { path: "/etc", kind: 0 },
  { path: "/etc/b", kind: 0 },
  { path: "/new", kind: 1 },
];
const seen = { "etc/b": "changed", "etc/c": "c", "d/y": "y", new: "new" };

async function expectChanged(root: string): Promise<void> {
  for (const [path, content] of Object.entries(seen)) expect(await readFile(join(root, path), "utf8")).toBe(content);
  expect([existsSync(join(root, "etc/a")), existsSync(join(root, "d/x"))]).toEqual([false, false]);
}

const drivers: readonly StorageDriverName[] = ["erofs", "overlay2", "vfs"];
const switches = drivers.flatMap((from) => drivers.filter((to) => to !== from).map((to) => [from, to] as const));

test.each(switches)("layers and a container made with %s go on with %s, the one that is mounted too", async (from, to) => {
  const place = await preparePlace(from);
  try {
    const before = await place.open();
    const layers = await importLayers(before, place.folder);
    const [running, stopped] = [containerOf(place.folder, "running"), containerOf(place.folder, "stopped")];
    for (const container of [running, stopped]) {
      await before.mount({ ...container, layers });
      await change(container.target);
    }
    await before.unmount(stopped.target);

    const after = await place.open(to);
    const chain = chainIds(layers);
    expect([...after.mounted()]).toEqual([[running.target, chain]]);
    await expect(after.removeLayer(chain[0]!)).rejects.toMatchObject({ kind: "conflict" });
    await expectChanged(running.target);
    await after.mount({ ...stopped, layers });
    for (const container of [running, stopped]) {
      await expectChanged(container.target);
      expect(await after.diff(container.upper, layers, signal)).toEqual(changes);
    }
    const fresh = containerOf(place.folder, "fresh");
    await after.mount({ ...fresh, layers });
    await change(fresh.target);
    await expectChanged(fresh.target);
    for (const chainId of chain) await after.verify(chainId, signal);

    for (const { target } of [running, stopped, fresh]) await after.unmount(target);
    for (const chainId of chain.toReversed()) await after.removeLayer(chainId);
    await after.close();
    const paths = layerPaths(join(place.folder, "layers"));
    expect(readMounts().filter(({ target }) => target.startsWith(place.folder))).toEqual([]);
    for (const folder of [paths.chains, paths.tars, paths.mounts, paths.replaced, paths.trees]) expect(await readdir(folder)).toEqual([]);
  } finally {
    await place.dispose();
  }
});

test("no overlay, device or attribute of overlayfs is made", async () => {
  const place = await preparePlace("vfs");
  try {
    const snapshots = await place.open();
    const layers = await importLayers(snapshots, place.folder);
    const container = containerOf(place.folder);
    await snapshots.mount({ ...container, layers });
    await change(container.target);
    expect(readMounts().filter(({ target, type }) => target.startsWith(place.folder) && type !== "ext4")).toEqual([]);
    const top = layerPaths(join(place.folder, "layers")).files(chainIds(layers).at(-1)!);
    expect(Object.values(describeTree(top)).join("\n")).not.toContain("trusted.overlay");
    expect((await readdir(join(top, "etc"))).sort()).toEqual(["b", "c"]);
    expect((await stat(join(top, "d"))).mode & 0o7777).toBe(0o1777); // implied by the upper layer
  } finally {
    await place.dispose();
  }
});

test("with the ids of a user namespace the copy on the disk keeps the container's own", async () => {
  const place = await preparePlace("vfs");
  try {
    const snapshots = await place.open();
    const layers = await importLayers(snapshots, place.folder);
    const ranges = [{ containerId: 0, hostId: 100_000, size: 65_536 }];
    const idMap = { uids: ranges, gids: ranges };
    const container = containerOf(place.folder);
    await snapshots.mount({ ...container, layers, idMap });
    expect((await stat(join(container.target, "etc/b"))).uid).toBe(100_000);
    await writeFile(join(container.target, "made"), "");
    await chown(join(container.target, "made"), 100_007, 100_000);
    expect((await stat(join(container.upper, "made"))).uid).toBe(7);
    expect((await stat(join(container.upper, "etc/b"))).uid).toBe(0);
    const target = join(place.folder, "view");
    await snapshots.mountView({ layers, target, idMap });
    expect((await stat(join(target, "etc/b"))).uid).toBe(100_000);
    expect((await place.open()).mounted().size).toBe(2);
  } finally {
    await place.dispose();
  }
});

test("a copy keeps holes, hard links, times and attributes; a commit keeps an attribute that alone has changed", async () => {
  const place = await preparePlace("vfs");
  try {
    const snapshots = await place.open();
    const modified = { seconds: 1_234_567_890, nanoseconds: 123_456_789 };
    const xattrs = new Map([["user.k", Buffer.from([0, 255])]]);
    const zeros = "0".repeat(512);
    const layers = await importLayers(snapshots, place.folder, [
      archive(
        member("a", { modified, xattrs, uid: 7, mode: 0o4711 }, "x"),
        member("b", { type: "hardlink", link: "a" }),
        member("plain", { modified }, zeros),
      ),
    ]);
    const container = containerOf(place.folder);
    await snapshots.mount({ ...container, layers });
    const top = layerPaths(join(place.folder, "layers")).files(chainIds(layers)[0]!);
    const copied = describeTree(container.target);
    const { "/": _, ...inside } = describeTree(top);
    expect(copied).toMatchObject(inside);
    using root = ConfinedDirectory.openPath(container.target);
    root.setXattr("plain", "user.added", Buffer.from("v"));
    expect(await snapshots.diff(container.upper, layers, signal)).toEqual([]); // as Docker's
    const path = join(place.folder, "diff.tar");
    const { diffId } = await snapshots.writeDiff(container.upper, layers, path, signal);
    await snapshots.importLayer({ path, parents: layers }, signal);
    const copy = containerOf(place.folder, "copy");
    await snapshots.mount({ ...copy, layers: [...layers, diffId] });
    using again = ConfinedDirectory.openPath(copy.target);
    expect(again.xattr("plain", "user.added")?.toString()).toBe("v");
  } finally {
    await place.dispose();
  }
});

test("F1: killed at any moment of a container's copy, it is whole or absent, and the next start makes it", async () => {
  const place = await preparePlace("vfs");
  try {
    const files = Array.from({ length: 300 }, (_, index) => member(`d/${index}`, {}, Buffer.alloc(20_000, `${index}`)));
    const layers = await importLayers(await place.open(), place.folder, [archive(member("d/"), ...files)]);
    const container = containerOf(place.folder);
    const top = layerPaths(join(place.folder, "layers")).files(chainIds(layers)[0]!);
    const { "/": _, ...whole } = describeTree(top);
    let absences = 0;
    for (let round = 0; round < 12; round++) {
      const script = join(import.meta.dir, "copy-loop.ts");
      const words = [process.execPath, script, join(place.folder, "layers"), join(place.folder, "c"), ...layers];
      const loop = Bun.spawn(words, { stdio: ["ignore", "ignore", "inherit"] });
      await Bun.sleep(100 + round * 31);
      loop.kill("SIGKILL");
      await loop.exited;
      const snapshots = await place.open();
      await snapshots.unmount(container.target);
      if (existsSync(container.upper)) expect(describeTree(container.upper)).toMatchObject(whole);
      else absences++;
      for (const path of [container.upper, join(place.folder, "c/gone")]) await rm(path, { recursive: true, force: true });
      await snapshots.mount({ ...container, layers });
      expect(describeTree(container.target)).toMatchObject(whole);
      // The loop's helper ends with it, but for one that has just been started.
      await until(async () => (await readdir(join(place.folder, "c"))).sort().join() === "rootfs,upper,upper.whole");
      await snapshots.unmount(container.target);
      await rm(container.upper, { recursive: true });
      for (const chainId of chainIds(layers)) await snapshots.verify(chainId, signal);
    }
    expect(absences).toBeGreaterThan(0);
  } finally {
    await place.dispose();
  }
}, 60_000);

test("what another file has in a whole layer is found: a name too many, one too few, a changed byte of a layer below", async () => {
  const place = await preparePlace("vfs");
  try {
    const snapshots = await place.open();
    const layers = await importLayers(snapshots, place.folder);
    const top = chainIds(layers).at(-1)!;
    const files = layerPaths(join(place.folder, "layers")).files(top);
    await snapshots.verify(top, signal);
    const harms: (() => Promise<unknown>)[] = [
      () => mkdir(join(files, "strange")),
      () => rm(join(files, "etc/b")),
      () => writeFile(join(files, "d/x"), "X"),
      () => writeFile(join(files, "etc/a"), "hidden by the layer"),
    ];
    for (const harm of harms) {
      await harm();
      await expect(snapshots.verify(top, signal)).rejects.toMatchObject({ kind: "internal", message: expect.stringContaining("its file") });
      expect(await snapshots.hasLayer(top)).toBe(false);
      await importLayers(snapshots, place.folder);
      await snapshots.verify(top, signal);
    }
  } finally {
    await place.dispose();
  }
});
