import { afterAll, beforeAll, expect, test } from "bun:test";
import {
  closeSync,
  ftruncateSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  rmSync,
  symlinkSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { ConfinedDirectory } from "#os/confined.ts";
import { describeTree } from "./describe-tree.ts";
import { fsckComplaint } from "./fsck.ts";
import { withIndexOf } from "./stored-tar.ts";

let folder: string;
let source: string;
beforeAll(() => {
  folder = mkdtempSync("/var/tmp/gantry-archivers-");
  source = join(folder, "source");
  makeSource(source);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** What the oldest format has a place for: names of at most 98 bytes, whole seconds, no attributes. */
function makeSource(root: string): void {
  mkdirSync(join(root, "d/e"), { recursive: true });
  writeFileSync(join(root, "d/empty"), "");
  writeFileSync(join(root, "d/e/f"), "text");
  linkSync(join(root, "d/e/f"), join(root, "linked"));
  symlinkSync("d/e", join(root, "symlink"));
  writeFileSync(Buffer.from(`${root}/\xff\xe9`, "latin1"), "no UTF-8");
  setTimes(root);
}

/** Longer than the name field; than that and the prefix together, unless it is for ustar. */
function addLongNames(root: string, depth: number): void {
  const parts = Array.from({ length: depth }, (_, index) => String(index).repeat(40));
  mkdirSync(join(root, ...parts), { recursive: true });
  writeFileSync(join(root, ...parts, "f".repeat(90)), "long");
}

function addSparseFiles(root: string): void {
  sparseFile(join(root, "few"), 10_000_000, [0, 5_000_000]);
  sparseFile(
    join(root, "many"),
    40_000_000,
    Array.from({ length: 60 }, (_, index) => index * 500_000 + 65_536),
  );
  sparseFile(join(root, "hole"), 1_000_000, []);
}

function sparseFile(path: string, sizeBytes: number, places: readonly number[]): void {
  const file = openSync(path, "w");
  for (const place of places) writeSync(file, Buffer.alloc(5000, "data"), 0, 5000, place);
  ftruncateSync(file, sizeBytes);
  closeSync(file);
}

function setTimes(root: string): void {
  using directory = ConfinedDirectory.openPath(root);
  for (const name of directory.names()) {
    using below = directory.stat(name)?.isDirectory() ? directory.open(name) : undefined;
    if (below) setTimes(join(root, name));
    directory.setTimes(name, 1_234_567_890, 0);
  }
  directory.setTimes(".", 1_234_567_890, 0);
}

async function packAndCompare(root: string, ...options: readonly string[]): Promise<void> {
  const tar = join(folder, "tar");
  const packed = Bun.spawnSync(["tar", ...options, "--numeric-owner", "-C", root, "-cf", tar, "."], { stderr: "pipe" });
  expect(packed.stderr.toString()).toBe("");
  await withIndexOf(tar, async ({ target, index, form }) => {
    expect(describeTree(target)).toEqual(describeTree(root));
    if (form === "erofs") expect(await fsckComplaint(index, tar)).toBe("");
  });
}

test.each(["v7", "oldgnu", "gnu", "ustar", "posix"])("what GNU tar packs in its format %s is what was packed", async (format) => {
  await packAndCompare(source, `--format=${format}`);
});

test.each(["oldgnu", "gnu", "ustar", "posix"])("and so with names that its format %s has no field for", async (format) => {
  const root = join(folder, `long-${format}`);
  makeSource(root);
  addLongNames(root, format === "ustar" ? 3 : 5);
  setTimes(root);
  await packAndCompare(root, `--format=${format}`);
});

test.each([
  ["oldgnu", []],
  ["gnu", []],
  ["posix", ["--sparse-version=0.0"]],
  ["posix", ["--sparse-version=0.1"]],
  ["posix", ["--sparse-version=1.0"]],
] as const)("and so with sparse files, %s %p", async (format, options) => {
  const root = join(folder, `sparse-${format}-${options.join()}`);
  mkdirSync(root);
  addSparseFiles(root);
  setTimes(root);
  await packAndCompare(root, `--format=${format}`, "--sparse", ...options);
});
