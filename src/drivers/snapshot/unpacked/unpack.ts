import { closeSync, ftruncateSync, readSync, writeSync } from "node:fs";
import { EngineError } from "#lib/errors.ts";
import type { ConfinedDirectory } from "#os/confined.ts";
import { fileType } from "../file-mode.ts";
import type { LayerNode } from "../layer-node.ts";
import { setXattrIfKept } from "../set-xattr.ts";

const copyBytes = 1 << 20;

/**
 * Writes a settled tree below an empty folder; file data come from the stored tar. The tree's names are single components and every
 * directory on the way was made here, so nothing outside can be reached, whatever the archive held.
 * @param tar descriptor of the uncompressed archive
 */
export function unpack(tree: LayerNode, tar: number, root: ConfinedDirectory): void {
  new Unpacker(tar, root).directory(tree, root, "");
}

export class Unpacker {
  readonly #tar: number;
  readonly #root: ConfinedDirectory;
  /** First path of each node that is no directory: further names become hard links. */
  readonly #made = new Map<LayerNode, string>();
  readonly #buffer = Buffer.allocUnsafe(copyBytes);

  constructor(tar: number, root: ConfinedDirectory) {
    this.#tar = tar;
    this.#root = root;
  }

  /** Depth is bounded by the tree's. A directory's own metadata come last: its entries change its time. */
  directory(node: LayerNode, directory: ConfinedDirectory, path: string): void {
    for (const [name, child] of node.children ?? []) {
      const childPath = path === "" ? name : `${path}/${name}`;
      if (child.children) this.subdirectory(child, directory, name, childPath);
      else this.leaf(child, directory, name, childPath);
    }
    describe(directory, ".", node);
  }

  protected subdirectory(node: LayerNode, parent: ConfinedDirectory, name: string, path: string): void {
    parent.makeDirectory(name);
    using directory = parent.open(name);
    if (!directory) throw new EngineError("internal", `directory ${JSON.stringify(path)} vanished while it was unpacked`);
    this.directory(node, directory, path);
  }

  /** Anything but a directory, where nothing is yet. */
  protected leaf(node: LayerNode, directory: ConfinedDirectory, name: string, path: string): void {
    const first = this.#made.get(node);
    if (first !== undefined) return directory.makeLink(name, this.#root, first);
    this.#made.set(node, path);
    const type = node.mode & fileType.mask;
    if (type === fileType.symlink) directory.makeSymlink(name, node.target);
    else if (type === fileType.file) this.#file(node, directory, name);
    else directory.makeNode(name, node.mode & (fileType.mask | 0o700), node.device);
    describe(directory, name, node);
  }

  #file(node: LayerNode, directory: ConfinedDirectory, name: string): void {
    const file = directory.createFile(name);
    try {
      let source = node.dataOffset;
      for (const segment of node.segments ?? [{ offset: 0, sizeBytes: node.sizeBytes }]) {
        this.#copy(source, file, segment.offset, segment.sizeBytes);
        source += segment.sizeBytes;
      }
      if (node.segments) ftruncateSync(file, node.sizeBytes); // a hole at the end
    } finally {
      closeSync(file);
    }
  }

  #copy(from: number, file: number, to: number, sizeBytes: number): void {
    for (let done = 0; done < sizeBytes;) {
      const length = readSync(this.#tar, this.#buffer, 0, Math.min(copyBytes, sizeBytes - done), from + done);
      if (length === 0) throw new EngineError("internal", "the stored layer ends too early");
      for (let written = 0; written < length;) written += writeSync(file, this.#buffer, written, length - written, to + done + written);
      done += length;
    }
  }
}

/** Owner before mode: a change of owner takes setuid away; attributes before time. */
export function describe(directory: ConfinedDirectory, name: string, node: LayerNode): void {
  directory.setOwner(name, node.uid, node.gid);
  if ((node.mode & fileType.mask) !== fileType.symlink) directory.setMode(name, node.mode & 0o7777);
  for (const [key, value] of node.xattrs ?? []) setXattrIfKept(directory, name, key, value);
  directory.setTimes(name, node.seconds, node.nanoseconds);
}
