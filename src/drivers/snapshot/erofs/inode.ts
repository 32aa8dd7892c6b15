import { fileType } from "../file-mode.ts";
import { isSymlink, type LayerNode } from "../layer-node.ts";
import { directoryBlocks, directoryBytes, type DirectoryBlock } from "./directory-blocks.ts";
import { blockBytes, compactInodeBytes, extendedInodeBytes, slotBytes } from "./format.ts";
import { xattrBody } from "./xattr-body.ts";

/** An inode of the index on its way to its place. */
export interface Inode {
  readonly node: LayerNode;
  /** Serial number, from 1; what stat shows with 32 bits. */
  readonly serial: number;
  links: number;
  /** Directories: the inode of `..`, and all names in byte order with `.` and `..` among them. */
  readonly parent: Inode | undefined;
  names: readonly string[];
  blocks: readonly DirectoryBlock[];
  xattrs: Buffer;
  /** Bytes of content: of the file, the target, or the directory's blocks. */
  sizeBytes: number;
  extended: boolean;
  /** The last part of the content lies right behind inode and attributes. */
  inline: boolean;
  /** First data block of directories and symlinks with whole blocks, counted from the first data block. */
  firstBlock: number;
  /** Number of the inode: its position in slots. */
  number: number;
}

/** Time that compact inodes share; the superblock carries it. */
export interface BuildTime {
  readonly seconds: number;
  readonly nanoseconds: number;
}

export function makeInode(node: LayerNode, serial: number, parent: Inode | undefined): Inode {
  return {
    node,
    serial,
    parent,
    links: 0,
    names: [],
    blocks: [],
    xattrs: Buffer.alloc(0),
    sizeBytes: 0,
    extended: false,
    inline: false,
    firstBlock: 0,
    number: 0,
  };
}

/** Everything about the inode's form that does not depend on its place. */
export function shapeInode(inode: Inode, buildTime: BuildTime): void {
  const { node } = inode;
  if (node.xattrs && node.xattrs.size > 0) inode.xattrs = xattrBody(node.xattrs);
  if (node.children) inode.blocks = directoryBlocks(inode.names);
  inode.sizeBytes = contentBytes(inode);
  const isOtherTime = node.seconds !== buildTime.seconds || node.nanoseconds !== buildTime.nanoseconds;
  inode.extended = isOtherTime || node.uid > 0xffff || node.gid > 0xffff || inode.links > 0xffff || inode.sizeBytes > 0xffffffff;
  inode.inline = canInline(inode);
}

/** Bytes of inode and attributes. */
export function headBytes(inode: Inode): number {
  return (inode.extended ? extendedInodeBytes : compactInodeBytes) + inode.xattrs.length;
}

/** Bytes that must follow the head within one block. */
export function tailBytes(inode: Inode): number {
  return inode.inline ? inode.sizeBytes % blockBytes : 0;
}

/** Whole data blocks of directories and symlinks; files have theirs in the tar. */
export function dataBlocks(inode: Inode): number {
  if (!hasOwnData(inode)) return 0;
  return inode.inline ? Math.floor(inode.sizeBytes / blockBytes) : Math.ceil(inode.sizeBytes / blockBytes);
}

/** True when inode and tail may stand at this position. */
export function fitsAt(inode: Inode, position: number): boolean {
  const tail = tailBytes(inode);
  if (tail === 0) return true;
  const head = headBytes(inode);
  // Older kernels want a symlink's inode in the same block as its target.
  if (isSymlink(inode.node)) return (position % blockBytes) + head + tail <= blockBytes;
  return ((position + head) % blockBytes) + tail <= blockBytes;
}

function hasOwnData(inode: Inode): boolean {
  return inode.node.children !== undefined || isSymlink(inode.node);
}

function contentBytes(inode: Inode): number {
  if (inode.node.children) return directoryBytes(inode.blocks);
  if (isSymlink(inode.node)) return inode.node.target.length;
  return (inode.node.mode & fileType.mask) === fileType.file ? inode.node.sizeBytes : 0;
}

/** Places are steps of a slot, so that with attributes of an odd length a long tail fits nowhere: such content goes to blocks of its own. */
function canInline(inode: Inode): boolean {
  if (!hasOwnData(inode)) return false;
  const tail = inode.sizeBytes % blockBytes;
  const head = headBytes(inode);
  if (tail === 0) return false;
  if (isSymlink(inode.node) && head + inode.sizeBytes > blockBytes) return false;
  return (head % slotBytes) + tail <= blockBytes;
}
