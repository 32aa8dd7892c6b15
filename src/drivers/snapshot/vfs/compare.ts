import { closeSync, readSync, type BigIntStats } from "node:fs";
import { TarError } from "#lib/tar/error.ts";
import { ConfinedDirectory } from "#os/confined.ts";
import { openOverlayView } from "#os/overlay-view.ts";
import { isOpaque, isWhiteoutNode, type LayerNode } from "../layer-node.ts";
import { Comparison } from "../unpacked/compare.ts";
import { ArchivedTree } from "./archived-tree.ts";

const compareBytes = 1 << 20;

export interface LayersBelow {
  /** Folders that show them, top first. */
  readonly lowers: readonly string[];
  /** Their archives, the lowest first. */
  readonly tars: readonly string[];
}

/**
 * First path below `root` that is not as the layers below, the settled tree and its tar say, undefined when all is. What differs from the files
 * of the layers below is looked up in their archives: the damage may be there.
 */
export function findWholeDifference(
  tree: LayerNode,
  tar: { readonly path: string; readonly descriptor: number },
  root: ConfinedDirectory,
  { lowers, tars }: LayersBelow,
): string | undefined {
  const comparison = new WholeComparison(() => tar.descriptor);
  if (lowers.length === 0) return comparison.merged(tree, undefined, root, "");
  using below = ConfinedDirectory.fromDescriptor(openOverlayView(lowers));
  const found = comparison.merged(tree, below, root, "");
  return found === undefined ? undefined : findByArchives([...tars, tar.path], root, found);
}

/** @param otherwise  the answer when an archive cannot be read */
function findByArchives(tars: readonly string[], root: ConfinedDirectory, otherwise: string): string | undefined {
  try {
    using expected = new ArchivedTree(tars);
    return new Comparison((node) => expected.archiveOf(node)).directory(expected.root, root, "");
  } catch (error) {
    if (error instanceof TarError || (error as NodeJS.ErrnoException).code === "ENOENT") return otherwise;
    throw error;
  }
}

class WholeComparison extends Comparison {
  readonly #expected = Buffer.allocUnsafe(compareBytes);
  readonly #actual = Buffer.allocUnsafe(compareBytes);

  /** @param below  the same directory of the layers below; undefined where nothing of them is seen */
  merged(node: LayerNode, below: ConfinedDirectory | undefined, actual: ConfinedDirectory, path: string): string | undefined {
    const children = node.children ?? new Map<string, LayerNode>();
    const kept = new Set(below?.names().filter((name) => !children.has(name)));
    for (const name of actual.names()) {
      const child = children.get(name);
      if (child ? isWhiteoutNode(child) : !kept.has(name)) return `${path}/${name}`;
    }
    for (const name of kept) {
      const found = below && this.#copied(below, actual, name, `${path}/${name}`);
      if (found !== undefined) return found;
    }
    for (const [name, child] of children) {
      const found = isWhiteoutNode(child) ? undefined : this.#own(child, below, actual, name, `${path}/${name}`);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  /** What the layer itself has. A directory without its content is compared as an entry. */
  #own(node: LayerNode, below: ConfinedDirectory | undefined, actual: ConfinedDirectory, name: string, path: string): string | undefined {
    if (!node.children) return this.entry(node, actual, name, path);
    const stat = actual.stat(name);
    if (!stat || !this.hasMetadata(node, stat)) return path;
    using actualChild = actual.open(name);
    using belowChild = isOpaque(node) ? undefined : below?.open(name);
    return actualChild ? this.merged(node, belowChild, actualChild, path) : path;
  }

  /** What only the layers below have. */
  #copied(below: ConfinedDirectory, actual: ConfinedDirectory, name: string, path: string): string | undefined {
    const [expected, stat] = [below.stat(name), actual.stat(name)];
    if (!expected) return undefined;
    if (!stat || !isSameStat(expected, stat)) return path;
    if (expected.isDirectory()) return this.#copiedDirectory(below, actual, name, path);
    if (expected.isSymbolicLink()) return below.readLink(name) === actual.readLink(name) ? undefined : path;
    return !expected.isFile() || this.#hasSameData(below, actual, name) ? undefined : path;
  }

  #copiedDirectory(below: ConfinedDirectory, actual: ConfinedDirectory, name: string, path: string): string | undefined {
    using belowChild = below.open(name);
    using actualChild = actual.open(name);
    if (!belowChild || !actualChild) return path;
    const names = belowChild.names();
    const known = new Set(names);
    const strange = actualChild.names().find((child) => !known.has(child));
    if (strange !== undefined) return `${path}/${strange}`;
    for (const child of names) {
      const found = this.#copied(belowChild, actualChild, child, `${path}/${child}`);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  #hasSameData(below: ConfinedDirectory, actual: ConfinedDirectory, name: string): boolean {
    const [expected, file] = [below.openFile(name), actual.openFile(name)];
    try {
      for (;;) {
        const length = readSync(expected, this.#expected, 0, compareBytes, null);
        const isSame = readSync(file, this.#actual, 0, compareBytes, null) === length;
        if (!isSame || this.#expected.compare(this.#actual, 0, length, 0, length) !== 0) return false;
        if (length === 0) return true;
      }
    } finally {
      closeSync(expected);
      closeSync(file);
    }
  }
}

function isSameStat(one: BigIntStats, other: BigIntStats): boolean {
  return (
    one.mode === other.mode &&
    one.uid === other.uid &&
    one.gid === other.gid &&
    one.mtimeNs === other.mtimeNs &&
    one.rdev === other.rdev &&
    (one.isDirectory() || one.size === other.size)
  );
}
