import { assert } from "#lib/errors.ts";
import type { LayerNode } from "../layer-node.ts";
import { alignUp, blockBytes, firstInodeOffset, slotBytes } from "./format.ts";
import { dataBlocks, fitsAt, headBytes, makeInode, shapeInode, tailBytes, type BuildTime, type Inode } from "./inode.ts";

/** Where everything of an index stands. */
export interface Layout {
  /** In the order of their serial numbers; the root first. */
  readonly inodes: readonly Inode[];
  readonly byNode: ReadonlyMap<LayerNode, Inode>;
  readonly buildTime: BuildTime;
  /** Blocks with superblock and inodes, and all blocks. */
  readonly metadataBlocks: number;
  readonly totalBlocks: number;
}

/** How many of the holes are looked at for one inode: all would cost the square of them. */
const maximumHoles = 8;

/** Numbers and places the inodes of a settled tree: same tree, same layout. */
export function layOut(root: LayerNode): Layout {
  const { inodes, byNode } = enumerate(root);
  const buildTime = commonestTime(inodes);
  let nextBlock = 0;
  const place = new InodePlacer();
  for (const inode of inodes) {
    shapeInode(inode, buildTime);
    inode.firstBlock = nextBlock;
    nextBlock += dataBlocks(inode);
    inode.number = place.next(inode) / slotBytes;
  }
  const metadataBlocks = Math.ceil(place.end / blockBytes);
  return { inodes, byNode, buildTime, metadataBlocks, totalBlocks: metadataBlocks + nextBlock };
}

/** Breadth first, a directory's other children right behind it: a stat of all its names reads neighbours. */
function enumerate(root: LayerNode): { inodes: Inode[]; byNode: Map<LayerNode, Inode> } {
  const inodes: Inode[] = [];
  const byNode = new Map<LayerNode, Inode>();
  const visit = (node: LayerNode, parent: Inode | undefined): Inode => {
    const inode = makeInode(node, inodes.length + 1, parent);
    inodes.push(inode);
    byNode.set(node, inode);
    return inode;
  };
  const directories = [visit(root, undefined)];
  for (const directory of directories) {
    directory.links += 2;
    const children = directory.node.children ?? new Map<string, LayerNode>();
    for (const name of [...children.keys()].sort()) {
      const child = children.get(name);
      assert(child, "a name has a node");
      const inode = byNode.get(child) ?? visit(child, directory);
      if (child.children) {
        directory.links++;
        directories.push(inode);
      } else inode.links++;
    }
    // "." and ".." stand in byte order too: "!" comes before them.
    directory.names = [...children.keys(), ".", ".."].sort();
  }
  return { inodes, byNode };
}

/** Inodes with this time may take half the space. */
function commonestTime(inodes: readonly Inode[]): BuildTime {
  const counts = new Map<string, { count: number; time: BuildTime }>();
  let best = { count: 0, time: { seconds: 0, nanoseconds: 0 } };
  for (const { node } of inodes) {
    const key = `${node.seconds}.${node.nanoseconds}`;
    const entry = counts.get(key) ?? { count: 0, time: { seconds: node.seconds, nanoseconds: node.nanoseconds } };
    entry.count++;
    counts.set(key, entry);
    if (entry.count > best.count) best = entry;
  }
  return best.time;
}

interface Hole {
  start: number;
  readonly end: number;
}

/** Gives out positions for inodes; holes before inodes whose tail did not fit are filled by later ones. */
class InodePlacer {
  readonly #holes: Hole[] = [];
  #end = firstInodeOffset;

  get end(): number {
    return this.#end;
  }

  next(inode: Inode): number {
    const length = headBytes(inode) + tailBytes(inode);
    return this.#inHole(inode, length) ?? this.#atEnd(inode, length);
  }

  #inHole(inode: Inode, length: number): number | undefined {
    const oldest = Math.max(0, this.#holes.length - maximumHoles);
    for (let index = this.#holes.length - 1; index >= oldest; index--) {
      const hole = this.#holes[index];
      if (!hole || hole.start + length > hole.end || !fitsAt(inode, hole.start)) continue;
      const position = hole.start;
      hole.start = alignUp(position + length, slotBytes);
      if (hole.start >= hole.end) this.#holes.splice(index, 1);
      return position;
    }
    return undefined;
  }

  #atEnd(inode: Inode, length: number): number {
    let position = this.#end;
    while (!fitsAt(inode, position)) position += slotBytes;
    if (position > this.#end) this.#holes.push({ start: this.#end, end: position });
    this.#end = alignUp(position + length, slotBytes);
    return position;
  }
}
