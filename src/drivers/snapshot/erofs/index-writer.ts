import { assert, EngineError } from "#lib/errors.ts";
import { fileType } from "../file-mode.ts";
import { isSymlink, type LayerNode } from "../layer-node.ts";
import { blockBytes, directoryEntryBytes, directoryEntryType, layoutInline, layoutPlain, slotBytes } from "./format.ts";
import { headBytes, type Inode } from "./inode.ts";
import { layOut, type Layout } from "./layout.ts";
import { writeSuperblock } from "./superblock.ts";
import { xattrCount } from "./xattr-body.ts";

/** Block numbers have 32 bits, and the highest values have meanings of their own. */
const maximumBlocks = 0xfffffff0;
const noBlock = 0xffffffff;

/**
 * An EROFS image with the metadata of a settled tree; its files' data are blocks of the tar, which is mapped right behind the image's own.
 * The same tree gives the same bytes. Sparse files have no place in it.
 * @param tarBytes size of the stored tar; the file must be padded to whole blocks of 512
 * @throws {EngineError} `invalid` for a layer larger than 2 TiB
 */
export function writeIndex(root: LayerNode, tarBytes: number): Buffer {
  const layout = layOut(root);
  const tarBlocks = Math.ceil(tarBytes / blockBytes);
  if (layout.totalBlocks + tarBlocks > maximumBlocks) throw new EngineError("invalid", "layer is larger than 2 TiB");
  const image = Buffer.alloc(layout.totalBlocks * blockBytes);
  for (const inode of layout.inodes) {
    writeInode(image, inode, layout);
    inode.xattrs.copy(image, inode.number * slotBytes + headBytes(inode) - inode.xattrs.length);
    if (isSymlink(inode.node)) image.write(inode.node.target, tailOffset(inode, layout), "latin1");
    if (inode.node.children) writeDirectory(image, inode, layout);
  }
  writeSuperblock(image, layout, tarBlocks);
  return image;
}

function writeInode(image: Buffer, inode: Inode, layout: Layout): void {
  const { node } = inode;
  const at = inode.number * slotBytes;
  const dataLayout = inode.inline ? layoutInline : layoutPlain;
  image.writeUInt16LE((inode.extended ? 1 : 0) | (dataLayout << 1), at);
  image.writeUInt16LE(xattrCount(inode.xattrs.length), at + 2);
  image.writeUInt16LE(node.mode, at + 4);
  image.writeUInt32LE(startOf(inode, layout), at + 16);
  image.writeUInt32LE(inode.serial, at + 20);
  if (inode.extended) {
    image.writeBigUInt64LE(BigInt(inode.sizeBytes), at + 8);
    image.writeUInt32LE(node.uid, at + 24);
    image.writeUInt32LE(node.gid, at + 28);
    image.writeBigInt64LE(BigInt(node.seconds), at + 32);
    image.writeUInt32LE(node.nanoseconds, at + 40);
    image.writeUInt32LE(inode.links, at + 44);
  } else {
    image.writeUInt16LE(inode.links, at + 6);
    image.writeUInt32LE(inode.sizeBytes, at + 8);
    image.writeUInt16LE(node.uid, at + 24);
    image.writeUInt16LE(node.gid, at + 26);
  }
}

/** The word that says where the content begins, or which device a node is. */
function startOf(inode: Inode, layout: Layout): number {
  const { node } = inode;
  const type = node.mode & fileType.mask;
  if (type === fileType.character || type === fileType.block) return node.device;
  if (type === fileType.file) {
    assert(!node.segments, "a sparse file is not in an index");
    return node.sizeBytes > 0 ? layout.totalBlocks + node.dataOffset / blockBytes : 0;
  }
  if (type === fileType.fifo) return 0;
  const hasWholeBlock = !inode.inline || inode.sizeBytes >= blockBytes;
  return hasWholeBlock ? layout.metadataBlocks + inode.firstBlock : noBlock;
}

/** Where the inline part stands, or the first byte when nothing is inline. */
function tailOffset(inode: Inode, layout: Layout): number {
  if (inode.inline) return inode.number * slotBytes + headBytes(inode);
  return (layout.metadataBlocks + inode.firstBlock) * blockBytes;
}

function writeDirectory(image: Buffer, inode: Inode, layout: Layout): void {
  inode.blocks.forEach((block, index) => {
    const isInline = inode.inline && index === inode.blocks.length - 1;
    const at = isInline ? tailOffset(inode, layout) : (layout.metadataBlocks + inode.firstBlock + index) * blockBytes;
    const names = inode.names.slice(block.start, block.end);
    let nameOffset = names.length * directoryEntryBytes;
    names.forEach((name, position) => {
      const entry = at + position * directoryEntryBytes;
      const child = childOf(inode, name, layout);
      image.writeBigUInt64LE(BigInt(child.number), entry);
      image.writeUInt16LE(nameOffset, entry + 8);
      image[entry + 10] = directoryEntryType[child.node.mode & fileType.mask] ?? 0;
      image.write(name, at + nameOffset, "latin1");
      nameOffset += name.length;
    });
  });
}

function childOf(inode: Inode, name: string, layout: Layout): Inode {
  if (name === ".") return inode;
  if (name === "..") return inode.parent ?? inode; // the root is its own parent
  const node = inode.node.children?.get(name);
  const child = node && layout.byNode.get(node);
  assert(child, "a name has an inode");
  return child;
}
