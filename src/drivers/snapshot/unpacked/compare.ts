import { closeSync, readSync, type BigIntStats } from "node:fs";
import type { ConfinedDirectory } from "#os/confined.ts";
import { encodeDevice, fileType } from "../file-mode.ts";
import type { LayerNode } from "../layer-node.ts";
import { deviceOf, modifiedOf } from "#lib/tar/stat-head.ts";

const compareBytes = 1 << 20;

/** First path below `root` that is not as the settled tree and its tar say, undefined when all is. Times of unnamed directories count too. */
export function findDifference(tree: LayerNode, tar: number, root: ConfinedDirectory): string | undefined {
  return new Comparison(() => tar).directory(tree, root, "");
}

export class Comparison {
  readonly #archiveOf: (node: LayerNode) => number;
  readonly #expected = Buffer.allocUnsafe(compareBytes);
  readonly #actual = Buffer.allocUnsafe(compareBytes);

  /** @param archiveOf  descriptor of the archive with a file's data */
  constructor(archiveOf: (node: LayerNode) => number) {
    this.#archiveOf = archiveOf;
  }

  directory(node: LayerNode, directory: ConfinedDirectory, path: string): string | undefined {
    const names = directory.names();
    const children = node.children ?? new Map<string, LayerNode>();
    const strange = names.find((name) => !children.has(name));
    if (strange !== undefined) return `${path}/${strange}`;
    for (const [name, child] of children) {
      const found = this.entry(child, directory, name, `${path}/${name}`);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  /** Path of the first difference of what has this name, or is below it. */
  protected entry(node: LayerNode, parent: ConfinedDirectory, name: string, path: string): string | undefined {
    const stat = parent.stat(name);
    if (!stat) return path;
    if (!this.hasMetadata(node, stat)) return path;
    if (node.children) {
      using directory = parent.open(name);
      return directory ? this.directory(node, directory, path) : path;
    }
    return this.#hasSameContent(node, parent, name, stat.size, deviceOf(stat)) ? undefined : path;
  }

  protected hasMetadata(node: LayerNode, stat: BigIntStats): boolean {
    const { seconds, nanoseconds } = modifiedOf(stat);
    return (
      Number(stat.mode) === node.mode &&
      Number(stat.uid) === node.uid &&
      Number(stat.gid) === node.gid &&
      seconds === node.seconds &&
      nanoseconds === node.nanoseconds
    );
  }

  #hasSameContent(
    node: LayerNode,
    parent: ConfinedDirectory,
    name: string,
    sizeBytes: bigint,
    device: { readonly major: number; readonly minor: number },
  ): boolean {
    switch (node.mode & fileType.mask) {
      case fileType.symlink:
        return parent.readLink(name) === node.target;
      case fileType.file:
        return Number(sizeBytes) === node.sizeBytes && this.#hasSameData(node, parent, name);
      case fileType.fifo:
        return true;
      default:
        return encodeDevice(device.major, device.minor) === node.device;
    }
  }

  #hasSameData(node: LayerNode, parent: ConfinedDirectory, name: string): boolean {
    const tar = this.#archiveOf(node);
    const file = parent.openFile(name);
    try {
      let source = node.dataOffset;
      for (const { offset, sizeBytes } of node.segments ?? [{ offset: 0, sizeBytes: node.sizeBytes }]) {
        for (let done = 0; done < sizeBytes;) {
          const length = Math.min(compareBytes, sizeBytes - done);
          const expected = readSync(tar, this.#expected, 0, length, source + done);
          const actual = readSync(file, this.#actual, 0, length, offset + done);
          const isSame = expected > 0 && expected === actual && this.#expected.compare(this.#actual, 0, actual, 0, expected) === 0;
          if (!isSame) return false;
          done += expected;
        }
        source += sizeBytes;
      }
      return true;
    } finally {
      closeSync(file);
    }
  }
}
