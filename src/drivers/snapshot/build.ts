import { closeSync, constants, fsyncSync, mkdirSync, openSync, readSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";
import { sha256 } from "#lib/digest.ts";
import { TarReader } from "#lib/tar/reader.ts";
import { ConfinedDirectory, syncFileSystem } from "#os/confined.ts";
import { writeIndex } from "./erofs/index-writer.ts";
import type { BuildRequest, BuiltLayer } from "./helper-protocol.ts";
import { isAsMade } from "./layer-node.ts";
import { LayerTree } from "./layer-tree.ts";
import { withLowers } from "./lower-lookup.ts";
import { unpack } from "./unpacked/unpack.ts";
import { layOver } from "./vfs/lay-over.ts";

const readBytes = 1 << 20;

/** Builds a layer from its stored tar. Blocks: for helper processes. @throws {TarError} */
export function buildLayer(request: BuildRequest): BuiltLayer {
  const { assumed, output } = request;
  if (assumed && areAsMade(assumed.newDirectories, request.lowers)) return assumed.built;
  for (const name of ["index", "fs"]) rmSync(join(output, name), { recursive: true, force: true });
  return buildFromTree(readTree(request.tar), request);
}

/** True when none of the directories is below with metadata of its own. */
function areAsMade(paths: readonly string[], lowers: readonly string[]): boolean {
  return withLowers(lowers, (lookup) => paths.every((path) => isAsMade(lookup(path))));
}

/** The tree of a stored tar. @throws {TarError} */
export function readTree(path: string): LayerTree {
  const tree = new LayerTree();
  const reader = new TarReader(tree);
  const tar = openSync(path, constants.O_RDONLY);
  try {
    const buffer = Buffer.allocUnsafe(readBytes);
    for (let length = readSync(tar, buffer); length > 0; length = readSync(tar, buffer)) reader.push(buffer.subarray(0, length));
  } finally {
    closeSync(tar);
  }
  reader.finish();
  return tree;
}

/** Writes `index` or `fs` into the output folder; on disk when this returns. */
export function buildFromTree(tree: LayerTree, request: BuildRequest): BuiltLayer {
  withLowers(tree.needsLowers() ? request.lowers : [], (lookup) => tree.settle(lookup));
  if (request.form === "whole") {
    fillFolder(request, (root, tar) => layOver(tree.root, tar, root, request.lowers));
    return { form: "whole", indexDigest: null };
  }
  if (request.form === "unpacked" || tree.hasSparseFile) {
    fillFolder(request, (root, tar) => unpack(tree.root, tar, root));
    return { form: "unpacked", indexDigest: null };
  }
  const index = writeIndex(tree.root, Bun.file(request.tar).size);
  writeSynced(join(request.output, "index"), index);
  return { form: "erofs", indexDigest: sha256(index) };
}

function fillFolder({ output, tar: path }: BuildRequest, fill: (root: ConfinedDirectory, tar: number) => void): void {
  const folder = join(output, "fs");
  mkdirSync(folder, { mode: 0o700 });
  using root = ConfinedDirectory.openPath(folder);
  const tar = openSync(path, constants.O_RDONLY);
  try {
    fill(root, tar);
  } finally {
    closeSync(tar);
  }
  syncFileSystem(root.descriptor); // one call for thousands of files
}

function writeSynced(path: string, content: Buffer): void {
  const file = openSync(path, "wx", 0o600);
  try {
    for (let written = 0; written < content.length;) written += writeSync(file, content, written);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}
