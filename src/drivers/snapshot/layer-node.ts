import type { SparseSegment } from "#lib/tar/entry.ts";
import { fileType } from "./file-mode.ts";
import { opaqueXattr } from "./overlay-marks.ts";

/** Owner, mode, time and attributes of a directory. */
export interface DirectoryMetadata {
  /** Permission bits. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly seconds: number;
  readonly nanoseconds: number;
  readonly xattrs: ReadonlyMap<string, Buffer>;
}

/** One inode of a layer; a hard link is the same node under several names. Names and targets are byte strings (see TarEntry). */
export interface LayerNode {
  /** File type and permission bits, as st_mode. */
  mode: number;
  uid: number;
  gid: number;
  seconds: number;
  nanoseconds: number;
  /** Regular file: bytes, and where its data begin in the tar. */
  readonly sizeBytes: number;
  readonly dataOffset: number;
  readonly segments: readonly SparseSegment[] | undefined;
  readonly target: string;
  /** Encoded by `encodeDevice`. */
  readonly device: number;
  xattrs: Map<string, Buffer> | undefined;
  /** Set for directories. */
  children: Map<string, LayerNode> | undefined;
  /** Names below a directory that the layer hides. */
  whiteouts: Set<string> | undefined;
  /** A directory that no entry of the archive has described. */
  implied: boolean;
}

export function makeNode(mode: number, fields: Partial<LayerNode> = {}): LayerNode {
  return {
    mode,
    uid: 0,
    gid: 0,
    seconds: 0,
    nanoseconds: 0,
    sizeBytes: 0,
    dataOffset: 0,
    segments: undefined,
    target: "",
    device: 0,
    xattrs: undefined,
    children: (mode & fileType.mask) === fileType.directory ? new Map() : undefined,
    whiteouts: undefined,
    implied: false,
    ...fields,
  };
}

export function impliedDirectory(): LayerNode {
  return makeNode(fileType.directory | 0o755, { implied: true });
}

/** True when a directory that is implied would be the same without what is below. */
export function isAsMade(below: DirectoryMetadata | undefined): boolean {
  if (!below) return true;
  const { mode, uid, gid, seconds, nanoseconds } = impliedDirectory();
  const isSame = below.uid === uid && below.gid === gid && below.seconds === seconds && below.nanoseconds === nanoseconds;
  return isSame && (fileType.directory | below.mode) === mode && below.xattrs.size === 0;
}

export function isSymlink(node: LayerNode): boolean {
  return (node.mode & fileType.mask) === fileType.symlink;
}

export function isOpaque(node: LayerNode): boolean {
  return node.xattrs?.has(opaqueXattr) ?? false;
}

/** What hides a name of the layers below, once the tree is settled. A device 0:0 means the same to overlayfs, whoever made it. */
export function isWhiteoutNode({ mode, device }: LayerNode): boolean {
  return (mode & fileType.mask) === fileType.character && device === 0;
}
