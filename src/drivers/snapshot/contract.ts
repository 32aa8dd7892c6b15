import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { closeSync, existsSync, openSync, readSync, writeSync } from "node:fs";
import { lstat, mkdir, readdir, readFile, readlink, rename, rm, stat, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { sha256 } from "#lib/digest.ts";
import { archive, member, paxMember, rawMember } from "#lib/tar/fixtures.ts";
import { ConfinedDirectory } from "#os/confined.ts";
import { readMounts } from "#os/mount.ts";
import { chainIds } from "./chain-id.ts";
import { layerPaths } from "./layer-store.ts";
import type { DiffId, ImportedLayer, Snapshotter } from "./types.ts";

/** One snapshotter on a folder of its own, and how to open it again. */
export interface SnapshotterUnderTest {
  readonly folder: string;
  /** A snapshotter on `folder`/layers, as after a restart of the daemon. */
  open(): Promise<Snapshotter & { close(): Promise<void> }>;
  /** Takes away the folder and whatever is mounted below. */
  dispose(): Promise<void>;
}

const never = AbortSignal.timeout(2 ** 31 - 1);

/** What every snapshotter promises. Needs root: it mounts. */
export function snapshotterContract(name: string, prepare: () => Promise<SnapshotterUnderTest>): void {
  describe(`${name} as a Snapshotter`, () => {
    let place: SnapshotterUnderTest;
    let snapshots: Snapshotter & { close(): Promise<void> };
    let outside: string;

    beforeEach(async () => {
      place = await prepare();
      outside = join(place.folder, "outside");
      await mkdir(outside);
      await writeFile(join(outside, "secret"), "untouched");
      snapshots = await place.open();
    });
    afterEach(async () => {
      await place.dispose();
      expect(readMounts().filter(({ target }) => target.startsWith(place.folder))).toEqual([]);
    });

    const blob = async (bytes: Uint8Array): Promise<string> => {
      const path = join(place.folder, `blob-${Bun.randomUUIDv7()}`);
      await writeFile(path, bytes);
      return path;
    };
    const take = async (bytes: Uint8Array, parents: readonly DiffId[] = []): Promise<ImportedLayer> =>
      snapshots.importLayer({ path: await blob(bytes), parents }, never);
    const stack = async (...archives: readonly Uint8Array[]): Promise<DiffId[]> => {
      const layers: DiffId[] = [];
      for (const bytes of archives) layers.push((await take(bytes, layers)).diffId);
      return layers;
    };
    const container = (id = "c") => {
      const folder = join(place.folder, id);
      return { upper: join(folder, "upper"), work: join(folder, "work"), target: join(folder, "rootfs") };
    };
    const mount = async (layers: readonly DiffId[], id = "c", volatile = false): Promise<string> => {
      await snapshots.mount({ ...container(id), layers, volatile });
      return container(id).target;
    };
    /** Everything below a layers' folder but mount points, which may stay. */
    const leftovers = async (): Promise<string[]> => {
      const paths = layerPaths(join(place.folder, "layers"));
      const found = await Promise.all([paths.temporary, paths.chains, paths.tars].map((folder) => readdir(folder)));
      return found.flat();
    };

    describe("files of layers", () => {
      test("a layer shows its parent's files, and what it replaces", async () => {
        const layers = await stack(
          archive(member("etc/"), member("etc/a", {}, "one"), member("etc/b", {}, "below")),
          archive(member("etc/"), member("etc/a", {}, "two")),
        );
        const root = await mount(layers);
        expect(await readFile(join(root, "etc/a"), "utf8")).toBe("two");
        expect(await readFile(join(root, "etc/b"), "utf8")).toBe("below");
      });

      test("a container's changes are its own", async () => {
        const layers = await stack(archive(member("f", {}, "image")));
        const [first, second] = [await mount(layers, "c1"), await mount(layers, "c2")];
        await writeFile(join(first, "f"), "changed");
        expect(await readFile(join(second, "f"), "utf8")).toBe("image");
        expect(snapshots.mounted().size).toBe(2);
      });

      test("whiteouts hide files and directories below, and only there", async () => {
        const layers = await stack(
          archive(member("a", {}, "x"), member("d/"), member("d/x", {}, "x"), member("kept", {}, "x")),
          archive(member(".wh.a"), member(".wh.d"), member(".wh.nothing"), member("own", {}, "y"), member(".wh.own")),
        );
        expect((await readdir(await mount(layers))).sort()).toEqual(["kept", "own"]);
      });

      test("IMG-04: a whiteout of what is not there is not seen, in new, opaque and replaced directories too", async () => {
        const layers = await stack(
          archive(member("opaque/"), member("opaque/x", {}, "x"), member("file", {}, "x"), member("first/"), member("first/.wh.x")),
          archive(
            member("new/"),
            member("new/.wh.x"),
            member("opaque/.wh..wh..opq"),
            member("opaque/.wh.x"),
            member("file/"),
            member("file/.wh.x"),
          ),
        );
        const root = await mount(layers);
        for (const name of ["first", "new", "opaque", "file"]) expect(await readdir(join(root, name))).toEqual([]);
        for (const chainId of chainIds(layers)) await snapshots.verify(chainId, never);
      });

      test("an opaque directory hides all of the directory below", async () => {
        const layers = await stack(
          archive(member("d/"), member("d/old", {}, "x"), member("e/"), member("e/old", {}, "x")),
          archive(member("d/"), member("d/new", {}, "y"), member("d/.wh..wh..opq"), member("e/"), member(".wh.e"), member("e/new")),
        );
        const root = await mount(layers);
        expect(await readdir(join(root, "d"))).toEqual(["new"]);
        expect(await readdir(join(root, "e"))).toEqual(["new"]);
      });

      test("hard links are one file, in any order of replacement", async () => {
        const layers = await stack(
          archive(
            member("a", {}, "first"),
            member("b", { type: "hardlink", link: "./a" }),
            member("c", { type: "hardlink", link: "/b" }),
            member("a", {}, "second"),
          ),
        );
        const root = await mount(layers);
        const [b, c] = [await stat(join(root, "b")), await stat(join(root, "c"))];
        expect([b.ino, b.nlink]).toEqual([c.ino, 2]);
        expect(await readFile(join(root, "c"), "utf8")).toBe("first");
        expect(await readFile(join(root, "a"), "utf8")).toBe("second");
      });

      test("owner, mode, nanoseconds, attributes, devices and links are kept", async () => {
        const modified = { seconds: 1_234_567_890, nanoseconds: 123_456_789 };
        const xattrs = new Map([
          ["user.k", Buffer.from([0, 255, 10])],
          ["security.capability", Buffer.from("0100000200200000000000000000000000000000", "hex")],
        ]);
        const layers = await stack(
          archive(
            member("f", { mode: 0o4711, uid: 70_000, gid: 5, modified, xattrs }, "x"),
            member("null", { type: "character", mode: 0o666, deviceMajor: 1, deviceMinor: 300 }),
            member("disk", { type: "block", deviceMajor: 8, deviceMinor: 17 }),
            member("pipe", { type: "fifo" }),
            member("link", { type: "symlink", link: "/etc/shadow" }),
            member("tmp/", { mode: 0o1777 }),
          ),
        );
        const root = await mount(layers);
        const file = await lstat(join(root, "f"), { bigint: true });
        expect([file.mode, file.uid, file.gid, file.mtimeNs]).toEqual([0o104711n, 70_000n, 5n, 1_234_567_890_123_456_789n]);
        using folder = ConfinedDirectory.openPath(root);
        expect(folder.xattr("f", "user.k")).toEqual(Buffer.from([0, 255, 10]));
        expect(folder.xattr("f", "security.capability")?.length).toBe(20);
        expect((await lstat(join(root, "null"))).rdev).toBe(0x10012c);
        expect((await lstat(join(root, "disk"))).isBlockDevice()).toBe(true);
        expect((await lstat(join(root, "pipe"))).isFIFO()).toBe(true);
        expect(await readlink(join(root, "link"))).toBe("/etc/shadow");
        expect((await stat(join(root, "tmp"))).mode & 0o7777).toBe(0o1777);
      });

      test("deep paths, names of 255 bytes and names that are not UTF-8", async () => {
        const deep = Array.from({ length: 400 }, (_, index) => `d${index}`).join("/");
        const long = "n".repeat(255);
        const layers = await stack(archive(member(`${deep}/f`, {}, "x"), member(long, {}, "y"), member("\xff\xfe", {}, "z")));
        const root = await mount(layers);
        expect(await readFile(join(root, deep, "f"), "utf8")).toBe("x");
        expect(await readFile(join(root, long), "utf8")).toBe("y");
        using folder = ConfinedDirectory.openPath(root);
        expect(folder.names()).toContain("\xff\xfe");
      });

      test("file sizes around blocks, and a directory of thousands", async () => {
        const sizes = [0, 1, 511, 512, 513, 4095, 4096, 4097, 1_000_003];
        const many = Array.from({ length: 3000 }, (_, index) => member(`many/${index}`, {}, `${index}`));
        const layers = await stack(archive(...sizes.map((size) => member(`s${size}`, {}, Buffer.alloc(size, `${size}`))), ...many));
        const root = await mount(layers);
        for (const size of sizes) expect(await readFile(join(root, `s${size}`))).toEqual(Buffer.alloc(size, `${size}`));
        expect(await readdir(join(root, "many"))).toHaveLength(3000);
        expect(await readFile(join(root, "many/2999"), "utf8")).toBe("2999");
      });

      test("sparse files keep their holes' zeros", async () => {
        const records = { "GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.name": "s", "GNU.sparse.realsize": "10000000" };
        const sparse = rawMember("x", {}, `${"1\n5000000\n3\n".padEnd(512, "\0")}abc`);
        const layers = await stack(archive(member("plain", {}, "p")), archive(paxMember(records), sparse, member("after", {}, "a")));
        const root = await mount(layers);
        const content = await readFile(join(root, "s"));
        expect(content.length).toBe(10_000_000);
        expect(content.toString("latin1", 4_999_999, 5_000_004)).toBe("\0abc\0");
        expect(await readFile(join(root, "after"), "utf8")).toBe("a");
        expect((await stat(join(root, "s"))).blocks * 512).toBeLessThan(1_000_000);
      });

      test("directories that an archive only implies are as in the layers below", async () => {
        const xattrs = new Map([["user.k", Buffer.from("v")]]);
        const layers = await stack(
          archive(member("tmp/", { mode: 0o1777, uid: 3, xattrs }), member("old/"), member("link", { type: "symlink", link: "tmp" })),
          archive(member(".wh.old")),
          archive(member("tmp/f", {}, "x"), member("old/f", {}, "x"), member("new/f", {}, "x")),
        );
        const root = await mount(layers);
        const tmp = await stat(join(root, "tmp"));
        expect([tmp.mode & 0o7777, tmp.uid, tmp.mtimeMs]).toEqual([0o1777, 3, 1_000_000_000_000]);
        expect((await stat(join(root, "old"))).mode & 0o7777).toBe(0o755);
        expect((await stat(join(root, "new"))).mode & 0o7777).toBe(0o755);
        using folder = ConfinedDirectory.openPath(root);
        expect(folder.xattr("tmp", "user.k")?.toString()).toBe("v");
      });

      test("an image without layers is an empty root", async () => {
        const root = await mount([]);
        await writeFile(join(root, "f"), "x");
        expect(await readdir(root)).toEqual(["f"]);
        expect((await stat(root)).mode & 0o7777).toBe(0o755);
      });
    });

    describe("a view of an image", () => {
      test.each([0, 1, 2])("of %p layers is read-only, counted, and gone after unmount", async (count) => {
        const layers = await stack(...Array.from({ length: count }, (_, index) => archive(member(`f${index}`, {}, "x"))));
        const target = join(place.folder, "view");
        await snapshots.mountView({ layers, target });
        expect((await readdir(target)).sort()).toEqual(Array.from({ length: count }, (_, index) => `f${index}`));
        expect(writeFile(join(target, "new"), "")).rejects.toThrow("EROFS");
        expect(snapshots.mounted().get(target)).toHaveLength(count);
        await snapshots.unmount(target);
        expect(await readdir(target)).toEqual([]);
      });
    });

    describe("hostile archives", () => {
      test.each<[string, Uint8Array]>([
        ["A1: ..", archive(member("../escape", {}, "x"))],
        ["A1: .. in the middle", archive(member("a/../../escape", {}, "x"))],
        ["A1: PAX path with ..", archive(paxMember({ path: "../../escape" }), rawMember("harmless", {}, "x"))],
        ["A1: hard link through ..", archive(member("h", { type: "hardlink", link: "../outside/secret" }))],
        ["A1: hard link to nothing", archive(member("h", { type: "hardlink", link: "outside/secret" }))],
        ["A1: hard link to a directory", archive(member("d/"), member("h", { type: "hardlink", link: "d" }))],
        ["A1: symlink loop as a parent", archive(member("l", { type: "symlink", link: "l" }), member("l/x"))],
        ["A1: file as a parent", archive(member("f"), member("f/x"))],
        ["A1: root that is a file", archive(rawMember("./"))],
        ["A2: whiteout of ..", archive(member(".wh..."))],
        ["A2: whiteout of .", archive(member(".wh.."))],
        ["A2: whiteout of nothing", archive(member(".wh."))],
        ["A8: cut", archive(member("f", {}, "x".repeat(5000))).subarray(0, 2000)],
        ["A8: junk", Buffer.alloc(5000, 0x41)],
        ["A8: negative size", archive(rawMember("f", { size: Buffer.alloc(12, 0xff) }))],
        ["A8: name of 256 bytes", archive(paxMember({ path: "n".repeat(256) }), rawMember("x"))],
        ["A8: cut gzip", gzipSync(archive(member("f", {}, Buffer.from(crypto.getRandomValues(new Uint8Array(5000)))))).subarray(0, 3000)],
        ["A8: damaged gzip", Buffer.concat([gzipSync("x").subarray(0, 12), Buffer.alloc(100, 7)])],
        ["A8: damaged zstd", Buffer.concat([zstdCompressSync(Buffer.alloc(1000)).subarray(0, 8), Buffer.alloc(100, 7)])],
      ])("%s is refused, and nothing stays", async (_, bytes) => {
        await expect(take(bytes)).rejects.toMatchObject({ kind: "invalid" });
        expect(await leftovers()).toEqual([]);
        expect(await readdir(outside)).toEqual(["secret"]);
      });

      test("A1: links of the archive as parents never lead out of it", async () => {
        const layers = await stack(
          archive(
            member("abs", { type: "symlink", link: outside }),
            member("abs/in", {}, "x"),
            member("up", { type: "symlink", link: `../../../../../../..${outside}` }),
            member("up/in2", {}, "x"),
            member(`/abs/secret`, {}, "changed"),
          ),
        );
        expect(await readdir(outside)).toEqual(["secret"]);
        expect(await readFile(join(outside, "secret"), "utf8")).toBe("untouched");
        const root = await mount(layers);
        expect((await readdir(join(root, outside))).sort()).toEqual(["in", "in2", "secret"]);
      });

      test("A1: a link of an earlier layer is no parent", async () => {
        const layers = await stack(archive(member("d", { type: "symlink", link: outside })), archive(member("d/secret", {}, "x")));
        expect(await readFile(join(outside, "secret"), "utf8")).toBe("untouched");
        expect(await readFile(join(await mount(layers), "d/secret"), "utf8")).toBe("x");
      });

      test("A3: metadata of a link do not reach its target, and overlay's attributes are dropped", async () => {
        const xattrs = new Map([
          ["trusted.overlay.redirect", Buffer.from("/etc")],
          ["trusted.overlay.opaque", Buffer.from("y")],
        ]);
        await writeFile(join(outside, "target"), "x", { mode: 0o600 });
        const before = await stat(join(outside, "target"));
        const layers = await stack(
          archive(member("d/"), member("d/below", {}, "x")),
          archive(member("l", { type: "symlink", link: join(outside, "target"), mode: 0o4777, uid: 99 }), member("d/", { xattrs })),
        );
        const after = await stat(join(outside, "target"));
        expect([after.mode, after.uid, after.mtimeMs]).toEqual([before.mode, before.uid, before.mtimeMs]);
        expect(await readdir(join(await mount(layers), "d"))).toEqual(["below"]);
      });

      test("A10: wrong digests are refused and the layer is absent", async () => {
        const bytes = archive(member("f", {}, "x"));
        const wrong = sha256("something else");
        const path = await blob(gzipSync(bytes));
        const byContent = snapshots.importLayer({ path, parents: [], expectedDiffId: wrong }, never);
        await expect(byContent).rejects.toMatchObject({ kind: "invalid" });
        const byBlob = snapshots.importLayer({ path, parents: [], expectedDigest: wrong }, never);
        await expect(byBlob).rejects.toMatchObject({ kind: "invalid" });
        expect(await leftovers()).toEqual([]);
        expect(await snapshots.hasLayer(sha256(bytes))).toBe(false);
      });

      test("A8: a bomb of zeros that is cancelled in the middle leaves nothing", async () => {
        const bytes = gzipSync(Buffer.concat([member("f", { sizeBytes: 2 ** 33 }), Buffer.alloc(256 << 20)]));
        const abort = new AbortController();
        const running = snapshots.importLayer({ path: await blob(bytes), parents: [] }, abort.signal);
        const outcome = running.catch((error: unknown) => error);
        const { temporary } = layerPaths(join(place.folder, "layers"));
        const isWriting = async (): Promise<boolean> => {
          const [folder] = await readdir(temporary);
          return folder !== undefined && (await stat(join(temporary, folder, "tar")).catch(() => ({ size: 0 }))).size > 0;
        };
        while (!(await isWriting())) await Bun.sleep(1);
        abort.abort(new Error("user left"));
        expect(await outcome).toEqual(new Error("user left"));
        expect(await leftovers()).toEqual([]);
      });
    });

    describe("importing", () => {
      const bytes = archive(member("f", {}, "content"));

      test.each([
        ["plain", bytes],
        ["gzip", gzipSync(bytes)],
        ["gzip in two members", Buffer.concat([gzipSync(bytes.subarray(0, 700)), gzipSync(bytes.subarray(700))])],
        ["zstd", zstdCompressSync(bytes)],
      ])("%s gives the same layer and tells digests and sizes", async (_, compressed) => {
        const layer = await take(compressed);
        expect(layer).toEqual({
          chainId: sha256(bytes),
          diffId: sha256(bytes),
          sizeBytes: bytes.length,
          digest: sha256(compressed),
          compressedBytes: compressed.length,
        });
      });

      test("a range of a file is a layer", async () => {
        const path = await blob(Buffer.concat([Buffer.alloc(777, 1), bytes, Buffer.alloc(99, 2)]));
        const layer = await snapshots.importLayer({ path, range: { offset: 777, sizeBytes: bytes.length }, parents: [] }, never);
        expect(layer.diffId).toBe(sha256(bytes));
      });

      test("a range beyond the end of the file is refused", async () => {
        const path = await blob(bytes);
        const running = snapshots.importLayer({ path, range: { offset: 0, sizeBytes: bytes.length + 512 }, parents: [] }, never);
        await expect(running).rejects.toMatchObject({ kind: "invalid" });
      });

      test("is idempotent, also at the same time", async () => {
        const path = await blob(bytes);
        const source = { path, parents: [], expectedDiffId: sha256(bytes) };
        const all = await Promise.all([1, 2, 3].map(() => snapshots.importLayer(source, never)));
        expect(new Set(all.map(({ chainId }) => chainId)).size).toBe(1);
        expect(await snapshots.importLayer(source, never)).toEqual(all[0]!);
        expect(await snapshots.layers()).toEqual([sha256(bytes)]);
      });

      test("layers of one image may come at the same time, the parent's first", async () => {
        const archives = [
          archive(member("tmp/", { mode: 0o1777 }), member("big", {}, Buffer.alloc(20 << 20, "x"))),
          archive(member("tmp/a", {}, "x")),
          archive(member("tmp/b", {}, "x")),
        ];
        const diffIds = archives.map((content) => sha256(content));
        const paths = await Promise.all(archives.map(blob));
        const running = diffIds.map((expectedDiffId, index) =>
          snapshots.importLayer({ path: paths[index]!, parents: diffIds.slice(0, index), expectedDiffId }, never),
        );
        await Promise.all(running);
        const root = await mount(diffIds);
        expect((await stat(join(root, "tmp"))).mode & 0o7777).toBe(0o1777);
        expect((await readdir(join(root, "tmp"))).sort()).toEqual(["a", "b"]);
      });

      test("a layer whose parent is missing is refused", async () => {
        await expect(take(bytes, [sha256("missing")])).rejects.toMatchObject({ kind: "invalid" });
        expect(await leftovers()).toEqual([]);
      });

      test("the archive is given back as it was, also without its last padding", async () => {
        const cut = member("f", {}, "content").subarray(0, 519);
        const { diffId } = await take(cut);
        const tar = await snapshots.layerTar(diffId);
        expect(tar?.sizeBytes).toBe(519);
        const content = await readFile(tar!.path);
        expect(content.subarray(0, 519).equals(cut)).toBe(true);
        expect(await readFile(join(await mount([diffId]), "f"), "utf8")).toBe("content");
      });

      test("more than 500 layers are refused", async () => {
        const parents = Array.from({ length: 500 }, (_, index) => sha256(`${index}`));
        await expect(take(bytes, parents)).rejects.toMatchObject({ kind: "invalid", message: "max depth exceeded" });
        const tooMany = snapshots.mount({ ...container(), layers: [...parents, sha256("one more")], volatile: false });
        await expect(tooMany).rejects.toMatchObject({ kind: "invalid" });
      });
    });

    describe("mounts and counts", () => {
      const base = archive(member("f", {}, "x"));

      test("a layer is refused removal while mounted, also after a restart, and then goes whole", async () => {
        const layers = await stack(base, archive(member("g", {}, "y")));
        const chain = chainIds(layers);
        await mount(layers);
        await expect(snapshots.removeLayer(chain[0]!)).rejects.toMatchObject({ kind: "conflict" });
        snapshots = await place.open();
        expect([...snapshots.mounted()]).toEqual([[container().target, chain]]);
        await expect(snapshots.removeLayer(chain[1]!)).rejects.toMatchObject({ kind: "conflict" });
        await snapshots.unmount(container().target);
        for (const chainId of chain.toReversed()) await snapshots.removeLayer(chainId);
        expect(await snapshots.layers()).toEqual([]);
        expect(await snapshots.hasLayer(chain[0]!)).toBe(false);
        await emptied(leftovers); // files of unpacked layers go after the answer
      });

      test("an archive shared by two chains stays until the last goes", async () => {
        const shared = archive(member("s", {}, "shared"));
        const one = await take(shared);
        const [below] = await stack(base);
        const two = await take(shared, [below!]);
        expect(one.diffId).toBe(two.diffId);
        await snapshots.removeLayer(one.chainId);
        expect(await readFile(join(await mount([below!, two.diffId]), "s"), "utf8")).toBe("shared");
        await snapshots.unmount(container().target);
        await snapshots.removeLayer(two.chainId);
        expect(await snapshots.layerTar(two.diffId)).toBeUndefined();
      });

      test("mounting a layer that is not there fails and mounts nothing", async () => {
        await expect(mount([sha256("missing")])).rejects.toMatchObject({ kind: "not_found" });
        expect(snapshots.mounted().size).toBe(0);
      });

      test("a target is mounted once, and unmounting what is not mounted is a success", async () => {
        const layers = await stack(base);
        await mount(layers);
        await expect(mount(layers)).rejects.toMatchObject({ kind: "conflict" });
        await snapshots.unmount(container().target);
        await snapshots.unmount(container().target);
        await snapshots.unmount(join(place.folder, "nowhere"));
      });

      test("an upper is mounted again with its changes, volatile or not", async () => {
        const layers = await stack(base);
        for (const volatile of [true, true, false, true]) {
          const root = await mount(layers, "c", volatile);
          await writeFile(join(root, `n${Math.random()}`), "x");
          await snapshots.unmount(root);
        }
        expect(await readdir(await mount(layers))).toHaveLength(5);
      });

      test("many containers start at once on layers that are not mounted yet", async () => {
        const layers = await stack(base, archive(member("g", {}, "y")));
        await Promise.all(Array.from({ length: 10 }, (_, index) => mount(layers, `c${index}`)));
        expect(snapshots.mounted().size).toBe(10);
        const erofs = readMounts().filter(({ target, type }) => type === "erofs" && target.startsWith(place.folder));
        expect(erofs.length).toBe(snapshots.name === "erofs" ? 2 : 0);
      });

      test("IMG-09: hundreds of layers are one tree", async () => {
        const count = snapshots.name === "vfs" ? 127 : 500; // whole copies: each layer costs what all below it do
        const archives = Array.from({ length: count }, (_, index) => archive(member(`f${index}`, {}, `${index}`)));
        const root = await mount(await stack(...archives));
        expect(await readdir(root)).toHaveLength(count);
      }, 120_000);
    });

    describe("changes of a container", () => {
      const image = archive(
        member("etc/"),
        member("etc/a", {}, "a"),
        member("etc/b", {}, "b"),
        member("d/"),
        member("d/x", {}, "x"),
        member("d/y", {}, "y"),
        member("e/"),
        member("e/x", {}, "x"),
        member("link", { type: "symlink", link: "etc" }),
      );
      /** One of each kind of change. */
      const change = async (root: string): Promise<void> => {
        await writeFile(join(root, "etc/a"), "changed");
        await rm(join(root, "etc/b"));
        await mkdir(join(root, "new/deep"), { recursive: true });
        await writeFile(join(root, "new/deep/f"), "new");
        Bun.spawnSync(["ln", join(root, "new/deep/f"), join(root, "new/hard")]);
        await rm(join(root, "d"), { recursive: true });
        await mkdir(join(root, "d"));
        await writeFile(join(root, "d/z"), "z");
        await rename(join(root, "link"), join(root, "moved"));
        const untouched = openSync(join(root, "e/x"), "r+"); // copied up, and nothing written
        closeSync(untouched);
        using folder = ConfinedDirectory.openPath(root);
        folder.setXattr("new", "user.k", Buffer.from([1, 255]));
        folder.setTimes("new", 1_111_111_111, 222_222_222);
      };
      /** Every name with what it is and holds. */
      const describeTree = (root: string): Record<string, string> => {
        const found: Record<string, string> = {};
        const walk = (folder: ConfinedDirectory, path: string): void => {
          for (const name of folder.names()) {
            const entry = folder.stat(name)!;
            const xattrs = [...folder.xattrs(name)].filter(([key]) => !key.startsWith("trusted.overlay."));
            const link = entry.isSymbolicLink() ? folder.readLink(name) : "";
            const { mode, uid, gid, mtimeNs, nlink } = entry;
            const size = entry.isDirectory() ? "" : `${entry.size} ${nlink}`;
            found[`${path}/${name}`] = `${mode} ${uid} ${gid} ${mtimeNs} ${size} ${link} ${JSON.stringify(xattrs)}`;
            using child = entry.isDirectory() ? folder.open(name) : undefined;
            if (child) walk(child, `${path}/${name}`);
          }
        };
        using top = ConfinedDirectory.openPath(root);
        walk(top, "");
        return found;
      };

      test("are told from the upper alone", async () => {
        const layers = await stack(image);
        await change(await mount(layers));
        expect(await snapshots.diff(container().upper, layers, never)).toEqual([
          { path: "/d", kind: 0 },
          { path: "/d/x", kind: 2 },
          { path: "/d/y", kind: 2 },
          { path: "/d/z", kind: 1 },
          { path: "/etc", kind: 0 },
          { path: "/etc/a", kind: 0 },
          { path: "/etc/b", kind: 2 },
          { path: "/link", kind: 2 },
          { path: "/moved", kind: 1 },
          { path: "/new", kind: 1 },
          { path: "/new/deep", kind: 1 },
          { path: "/new/deep/f", kind: 1 },
          { path: "/new/hard", kind: 1 },
        ]);
        // A copied tree is compared: what was copied up and not written, whiteouts and further names are nothing there.
        const expected = snapshots.name === "vfs" ? { inodes: 8, sizeBytes: 14 } : { inodes: 12, sizeBytes: 15 };
        expect(await snapshots.usage(container().upper, layers)).toMatchObject(expected);
      });

      test("of two layers are told against what both show", async () => {
        const layers = await stack(image, archive(member("etc/"), member("etc/.wh.a"), member("etc/c", {}, "c")));
        const root = await mount(layers);
        await writeFile(join(root, "etc/a"), "again");
        await rm(join(root, "etc/c"));
        expect(await snapshots.diff(container().upper, layers, never)).toEqual([
          { path: "/etc", kind: 0 },
          { path: "/etc/a", kind: 1 },
          { path: "/etc/c", kind: 2 },
        ]);
      });

      test("written as a layer give the same tree again", async () => {
        const layers = await stack(image);
        const root = await mount(layers);
        await change(root);
        const path = join(place.folder, "diff.tar");
        const { diffId, sizeBytes } = await snapshots.writeDiff(container().upper, layers, path, never);
        expect((await stat(path)).size).toBe(sizeBytes);
        const layer = await snapshots.importLayer({ path, parents: layers, expectedDiffId: diffId }, never);
        expect(layer.diffId).toBe(diffId);
        const copy = await mount([...layers, diffId], "copy");
        expect(describeTree(copy)).toEqual(describeTree(root));
      });
    });

    describe("damage", () => {
      /** Changes one byte of a file. */
      const flip = (path: string, offset: number): void => {
        const file = openSync(path, "r+");
        const byte = Buffer.alloc(1);
        readSync(file, byte, 0, 1, offset);
        writeSync(file, Buffer.of(byte[0]! ^ 1), 0, 1, offset);
        closeSync(file);
      };

      test("verify() accepts a whole layer, and finds a changed byte in its archive", async () => {
        const layers = await stack(archive(member("tmp/", { mode: 0o1777 })), archive(member("tmp/f", {}, "content")));
        const chain = chainIds(layers);
        for (const chainId of chain) await snapshots.verify(chainId, never);
        flip((await snapshots.layerTar(layers[1]!))!.path, 600);
        const found = snapshots.verify(chain[1]!, never);
        await expect(found).rejects.toMatchObject({ kind: "internal", message: expect.stringContaining(chain[1]!) });
      });

      test("verify() finds a changed byte in what containers read", async () => {
        const { chainId } = await take(archive(member("f", {}, "content")));
        const paths = layerPaths(join(place.folder, "layers"));
        const isUnpacked = existsSync(paths.files(chainId));
        flip(isUnpacked ? join(paths.files(chainId), "f") : paths.index(chainId), isUnpacked ? 3 : 1300);
        await expect(snapshots.verify(chainId, never)).rejects.toMatchObject({ kind: "internal" });
      });

      test("F12: a damaged record costs its layer alone, and importing again mends it", async () => {
        const layers = await stack(archive(member("f", {}, "x")), archive(member("g", {}, "y")));
        const chain = chainIds(layers);
        await snapshots.close();
        await truncate(layerPaths(join(place.folder, "layers")).record(chain[1]!), 10);
        snapshots = await place.open();
        expect(await snapshots.layers()).toEqual([chain[0]!]);
        await take(archive(member("g", {}, "y")), [layers[0]!]);
        expect((await readdir(await mount(layers))).sort()).toEqual(["f", "g"]);
      });

      test("F2: what a kill left is swept at the next start", async () => {
        const { chainId } = await take(archive(member("f", {}, "x")));
        const paths = layerPaths(join(place.folder, "layers"));
        await mkdir(join(paths.temporary, "half"));
        await writeFile(join(paths.temporary, "half/tar"), "x");
        await writeFile(join(paths.tars, "ab".repeat(32)), "no layer uses this");
        snapshots = await place.open();
        await emptied(() => readdir(paths.temporary));
        expect(await readdir(paths.tars)).toEqual([chainId.slice(7)]);
      });
    });
  });
}

async function emptied(list: () => Promise<readonly string[]>): Promise<void> {
  for (const end = performance.now() + 15_000; performance.now() < end; await Bun.sleep(10)) if ((await list()).length === 0) return;
  expect(await list()).toEqual([]);
}
