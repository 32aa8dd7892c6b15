import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { buildFromTree } from "#drivers/snapshot/build.ts";
import { LayerTree } from "#drivers/snapshot/layer-tree.ts";
import { TarError } from "#lib/tar/error.ts";
import { archive, member } from "#lib/tar/fixtures.ts";
import { TarReader } from "#lib/tar/reader.ts";
import { ConfinedDirectory } from "#os/confined.ts";
import { mountErofs, unmount } from "#os/mount.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp("/var/tmp/gantry-forms-");
});
afterAll(async () => {
  unmount(join(folder, "mount"));
  await rm(folder, { recursive: true, force: true });
});

const pick = <T>(...values: readonly T[]) => fc.constantFrom(...values);
const name = fc.oneof(
  { weight: 6, arbitrary: pick("a", "b", "c", "d", "!", "-x", "~") },
  { weight: 1, arbitrary: fc.tuple(pick("n", "\xe9"), fc.integer({ min: 1, max: 254 })).map(([unit, count]) => unit.repeat(count)) },
);
const path = fc.array(name, { minLength: 1, maxLength: 4 }).map((parts) => parts.join("/"));
const xattrs = fc
  .array(fc.tuple(pick("user.a", "user.longer.name", "security.b", "trusted.c"), fc.integer({ min: 0, max: 700 })), { maxLength: 3 })
  .map((list) => new Map(list.map(([key, length]) => [key, Buffer.alloc(length, key)])));
const fields = fc.record({
  mode: pick(0o644, 0o755, 0o4711, 0o1777, 0),
  uid: pick(0, 1000, 65_536, 3_000_000_000),
  gid: pick(0, 70_000),
  modified: fc.record({
    seconds: fc.integer({ min: 1 - 2 ** 31, max: 2 ** 32 }) /* what ext4 keeps */,
    nanoseconds: pick(0, 1, 999_999_999),
  }),
});
const entry = fc.oneof(
  fc.tuple(path, fields, xattrs).map(([at, rest, attributes]) => member(`${at}/`, { ...rest, xattrs: attributes })),
  fc
    .tuple(path, fields, xattrs, pick(0, 1, 511, 512, 513, 4096, 5000))
    .map(([at, rest, attributes, size]) => member(at, { ...rest, xattrs: attributes }, Buffer.alloc(size, at))),
  fc
    .tuple(path, fields, fc.integer({ min: 1, max: 1100 }))
    .map(([at, rest, length]) => member(at, { ...rest, type: "symlink", link: "t".repeat(length) })),
  fc.tuple(path, path).map(([at, link]) => member(at, { type: "hardlink", link })),
  fc
    .tuple(path, fields, pick("character" as const, "block" as const, "fifo" as const))
    .map(([at, rest, type]) => member(at, { ...rest, type, deviceMajor: 300, deviceMinor: 70_000 })),
  fc.tuple(path, name).map(([at, hidden]) => member(`${at}/.wh.${hidden.slice(0, 250)}`)),
);

/** Every name with what it is and holds; groups of hard links by the first of their names. */
function describeTree(root: string): Record<string, string> {
  const found: Record<string, string> = {};
  const groups = new Map<bigint, string>();
  const walk = (directory: ConfinedDirectory, at: string): void => {
    for (const child of directory.names()) {
      const stat = directory.stat(child)!;
      const here = `${at}/${child}`;
      if (!stat.isDirectory() && !groups.has(stat.ino)) groups.set(stat.ino, here);
      const attributes = [...directory.xattrs(child)].map(([key, value]) => `${key}=${value.toString("hex")}`).sort();
      const content = stat.isFile() ? readFileSync(Buffer.from(`${root}${here}`, "latin1")).toString("hex") : "";
      const target = stat.isSymbolicLink() ? directory.readLink(child) : "";
      const size = stat.isDirectory() ? "" : `${stat.size} ${stat.nlink} ${groups.get(stat.ino)}`;
      found[here] = [stat.mode, stat.uid, stat.gid, stat.mtimeNs, stat.rdev, size, target, attributes, content].join(" ");
      using below = stat.isDirectory() ? directory.open(child) : undefined;
      if (below) walk(below, here);
    }
  };
  using top = ConfinedDirectory.openPath(root);
  walk(top, "");
  return found;
}

function treeOf(tar: Buffer): LayerTree {
  const tree = new LayerTree();
  const reader = new TarReader(tree);
  reader.push(tar);
  reader.finish();
  return tree;
}

/** Without the entries that would have the archive refused: links to nothing, files as parents. */
function acceptable(members: readonly Buffer[]): Buffer[] {
  const kept: Buffer[] = [];
  for (const next of members) {
    try {
      treeOf(archive(...kept, next));
      kept.push(next);
    } catch (error) {
      expect(error).toBeInstanceOf(TarError);
    }
  }
  return kept;
}

test("an index shows the kernel the same tree as unpacked files, for any archive", async () => {
  const run = async (members: readonly Buffer[]): Promise<void> => {
    const tar = join(folder, "tar");
    const bytes = archive(...acceptable(members));
    const trees = [treeOf(bytes), treeOf(bytes)] as const;
    await writeFile(tar, bytes);
    const output = await mkdtemp(join(folder, "layer-"));
    const target = join(folder, "mount");
    await mkdir(target, { recursive: true });
    buildFromTree(trees[0], { tar, output, form: "erofs", lowers: [] });
    buildFromTree(trees[1], { tar, output, form: "unpacked", lowers: [] });
    mountErofs(join(output, "index"), tar, target);
    try {
      expect(describeTree(target)).toEqual(describeTree(join(output, "fs")));
    } finally {
      unmount(target);
      await rm(output, { recursive: true, force: true });
    }
  };
  await fc.assert(fc.asyncProperty(fc.array(entry, { maxLength: 25 }), run), { numRuns: 150 });
}, 120_000);

test("a real folder packed by GNU tar is the same through an index", async () => {
  const source = "/etc";
  const tar = join(folder, "etc.tar");
  const packed = Bun.spawnSync([
    "tar",
    "--xattrs",
    "--xattrs-include=*",
    "--format=posix",
    "--numeric-owner",
    "-C",
    source,
    "-cf",
    tar,
    ".",
  ]);
  expect(packed.exitCode).toBe(0);
  const tree = treeOf(readFileSync(tar));
  const target = join(folder, "mount");
  await mkdir(target, { recursive: true });
  buildFromTree(tree, { tar, output: folder, form: "erofs", lowers: [] });
  mountErofs(join(folder, "index"), tar, target);
  try {
    expect(describeTree(target)).toEqual(describeTree(source));
  } finally {
    unmount(target);
  }
});
