import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { buildFromTree } from "#drivers/snapshot/build.ts";
import { findLayerDamage } from "#drivers/snapshot/verify.ts";
import { LayerTree } from "#drivers/snapshot/layer-tree.ts";
import { sha256 } from "#lib/digest.ts";
import { TarError } from "#lib/tar/error.ts";
import { archive } from "#lib/tar/fixtures.ts";
import { TarReader } from "#lib/tar/reader.ts";
import { mountErofs, mountFileSystem, mountOverlay, unmount } from "#os/mount.ts";
import { describeTree, type DescribeOptions } from "./describe-tree.ts";
import { fsckComplaint, fsckLack } from "./fsck.ts";
import { randomLayers, type RandomLayer } from "./random-layers.ts";

/** Trees of one to three layers each. GANTRY_FORMS_SEED=N repeats those of a report; without it they are others each time. */
const trees = 1000;
const seed = process.env["GANTRY_FORMS_SEED"];
if (fsckLack !== undefined) console.log(`without fsck.erofs: ${fsckLack}`);

const overlayOptions = ["index=off", "redirect_dir=nofollow", "metacopy=off", "xino=off"];

let folder: string;
/** In memory: there all times and attributes that Linux knows can be unpacked, and nothing waits for a disk. */
let memory: string;
beforeAll(() => {
  folder = mkdtempSync("/var/tmp/gantry-forms-");
  memory = join(folder, "memory");
  mkdirSync(memory);
  mountFileSystem("forms", memory, "tmpfs", 0, "mode=0755,nr_inodes=0");
  mkdirSync(join(memory, "other/strange"), { recursive: true });
});
afterAll(() => {
  unmount(memory);
  rmSync(folder, { recursive: true, force: true });
});

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

interface Places {
  /** Folders that show the layers, the lowest first. */
  readonly mounted: string[];
  readonly unpacked: string[];
  /** Folders with all files down to each layer. */
  readonly whole: string[];
  readonly tars: string[];
  readonly undo: DisposableStack;
}

/** Takes a layer in three times: as an index that is mounted, unpacked, and whole. @returns what fsck.erofs says of the index */
async function addLayer(at: number, members: readonly Buffer[], { mounted, unpacked, whole, tars, undo }: Places): Promise<string> {
  const bytes = archive(...acceptable(members));
  const isSparse = treeOf(bytes).hasSparseFile; // unpacked in both
  const [disk, twin, all] = [join(isSparse ? memory : folder, `layer-${at}`), join(memory, `twin-${at}`), join(memory, `all-${at}`)];
  for (const place of [disk, twin, all]) {
    mkdirSync(place);
    undo.defer(() => rmSync(place, { recursive: true, force: true }));
  }
  const tar = join(disk, "tar");
  writeFileSync(tar, bytes);
  const built = buildFromTree(treeOf(bytes), { tar, output: disk, form: "erofs", lowers: mounted.toReversed() });
  buildFromTree(treeOf(bytes), { tar, output: twin, form: "unpacked", lowers: unpacked.toReversed() });
  unpacked.push(join(twin, "fs"));
  const lowers = whole.slice(-1);
  buildFromTree(treeOf(bytes), { tar, output: all, form: "whole", lowers });
  whole.push(join(all, "fs"));
  const stored = {
    tar,
    sizeBytes: bytes.length,
    diffId: sha256(bytes),
    form: "whole",
    content: join(all, "fs"),
    indexDigest: null,
  } as const;
  expect(findLayerDamage({ ...stored, lowers, tarsBelow: tars })).toEqual([]);
  expect(findLayerDamage({ ...stored, lowers: [join(memory, "other")], tarsBelow: tars })).toEqual([]); // told by the archives alone
  tars.push(tar);
  if (built.form === "unpacked") {
    mounted.push(join(disk, "fs"));
    return "";
  }
  const target = join(disk, "mount");
  mountErofs(join(disk, "index"), tar, target);
  undo.defer(() => unmount(target));
  mounted.push(target);
  return fsckComplaint(join(disk, "index"), tar);
}

/** All layers as a container sees them. */
function describeMerged(folders: readonly string[], options: DescribeOptions = {}): Record<string, string> {
  const target = join(memory, "merged");
  const empty = join(memory, "empty"); // overlayfs wants two at least
  for (const place of [target, empty]) mkdirSync(place, { recursive: true });
  mountOverlay({ lowers: [...folders.toReversed(), empty], target, options: overlayOptions });
  try {
    return describeTree(target, options);
  } finally {
    unmount(target);
  }
}

test("IMG-04, IMG-14: an index shows the kernel the same tree as unpacked files, each layer and all of them merged, and copies are that tree, for any archives", async () => {
  const run = async (layers: readonly RandomLayer[]): Promise<void> => {
    using undo = new DisposableStack();
    const places: Places = { mounted: [], unpacked: [], whole: [], tars: [], undo };
    for (const [at, { members }] of layers.entries()) {
      expect(await addLayer(at, members, places)).toBe("");
      expect(describeTree(places.mounted[at] ?? "")).toEqual(describeTree(places.unpacked[at] ?? ""));
    }
    if (layers.length > 1) expect(describeMerged(places.mounted)).toEqual(describeMerged(places.unpacked));
    // Of a file some of whose names are hidden overlayfs counts all.
    const options = { withoutLinkCounts: true };
    expect(describeTree(places.whole.at(-1) ?? "", options)).toEqual(describeMerged(places.unpacked, options));
  };
  await fc.assert(fc.asyncProperty(randomLayers, run), { numRuns: trees, ...(seed !== undefined && { seed: Number(seed) }) });
}, 300_000);

test("a real folder packed by GNU tar is the same through an index", () => {
  const source = "/etc";
  const tar = join(folder, "etc.tar");
  const command = ["tar", "--xattrs", "--xattrs-include=*", "--format=posix", "--numeric-owner", "-C", source, "-cf", tar, "."];
  expect(Bun.spawnSync(command).exitCode).toBe(0);
  const target = join(folder, "mount");
  buildFromTree(treeOf(readFileSync(tar)), { tar, output: folder, form: "erofs", lowers: [] });
  mountErofs(join(folder, "index"), tar, target);
  try {
    expect(describeTree(target)).toEqual(describeTree(source));
  } finally {
    unmount(target);
  }
});
