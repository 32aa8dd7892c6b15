import { fstatSync, statfsSync } from "node:fs";
import { lastErrno, libc } from "#os/libc.ts";

const FALLOC_FL_KEEP_SIZE = 1;
const FALLOC_FL_PUNCH_HOLE = 2;
const blockBytes = 4096;
const EOPNOTSUPP = 95;

/** Reserved behind the end of a spool that is busy, and of one that is quiet. 4 MB last for 10 ms at conmon's fastest. */
const busyReserveBytes = 4 << 20;
const quietReserveBytes = 256 << 10;
const busyFromBytes = 1 << 20;

/** Bytes that anybody may still write below `folder`. */
export function freeBytes(folder: string): number {
  const { bavail, bsize } = statfsSync(folder);
  return bavail * bsize;
}

/** Gives the blocks of `[from, to)` back; the offsets of all other bytes stay. Returns the position up to which that was done. Source: fallocate(2). */
export function punchHole(descriptor: number, from: number, to: number): number {
  const start = from - (from % blockBytes);
  const end = to - (to % blockBytes);
  // A file system without holes keeps the bytes: what bounds the spool then is conmon's own rotation.
  if (end > start) libc.fallocate(descriptor, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, start, end - start);
  return end;
}

/** Blocks kept behind the end of a spool's segment, so that conmon's appends succeed on a disk that others have filled. */
export class SpoolReserve {
  #reservedUntil = 0;
  #unsupported = false;

  /** Tops the reserve up when half of it is used. False: the disk is full. */
  topUp(descriptor: number): boolean {
    if (this.#unsupported) return true;
    const { size } = fstatSync(descriptor);
    const wanted = size > busyFromBytes ? busyReserveBytes : quietReserveBytes;
    if (this.#reservedUntil - size > wanted / 2) return true;
    if (libc.fallocate(descriptor, FALLOC_FL_KEEP_SIZE, size, wanted) === 0) {
      this.#reservedUntil = size + wanted;
      return true;
    }
    if (lastErrno() !== EOPNOTSUPP) return false;
    this.#unsupported = true;
    return true;
  }

  /** The next segment has none yet. */
  reset(): void {
    this.#reservedUntil = 0;
  }
}
