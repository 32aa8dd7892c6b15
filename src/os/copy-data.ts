import { ftruncateSync, readSync, writeSync } from "node:fs";
import { constants as system } from "node:os";
import { check, lastErrno, libc, plainSystemCall, SystemError } from "./libc.ts";

// Source: ioctl_ficlone(2), copy_file_range(2), lseek(2).
const SYS_ioctl = process.arch === "x64" ? 16 : 29;
const FICLONE = 0x40049409;
const SEEK_SET = 0;
const SEEK_DATA = 3;
const SEEK_HOLE = 4;
const { EINVAL, ENOSYS, ENXIO, EOPNOTSUPP, EPERM, EXDEV } = system.errno;
const copyBytes = 1 << 20;
const rangeBytes = 1 << 30;

/**
 * Copies what is in files, in the cheapest way that both file systems have: shared blocks, a copy in the kernel, or through memory. What one
 * does not have is tried once. Waits for the disk: for helper processes.
 */
export class DataCopy {
  #canClone = true;
  #canCopyRanges = true;
  readonly #buffer = Buffer.allocUnsafe(copyBytes);

  /**
   * @param target  empty; both stand at their beginning
   * @param stat    of the source; where it takes fewer blocks than it has bytes, its holes become holes
   */
  copy(source: number, target: number, { size, blocks }: { readonly size: bigint; readonly blocks: bigint }): void {
    if (this.#clone(source, target)) return;
    if (blocks * 512n < size) this.#copySparse(source, target, Number(size));
    else this.#copyPiece(source, target, Number.MAX_SAFE_INTEGER);
  }

  #clone(source: number, target: number): boolean {
    if (!this.#canClone) return false;
    if (plainSystemCall(SYS_ioctl, target, FICLONE, source) >= 0) return true;
    this.#canClone = false; // an error that the copy has as well is told by it
    return false;
  }

  #copySparse(source: number, target: number, sizeBytes: number): void {
    for (let position = 0; position < sizeBytes;) {
      const start = seek(source, position, SEEK_DATA);
      if (start === undefined) break; // nothing but a hole is left
      const end = seek(source, start, SEEK_HOLE) ?? sizeBytes;
      check(libc.lseek(source, start, SEEK_SET), "seek");
      check(libc.lseek(target, start, SEEK_SET), "seek");
      this.#copyPiece(source, target, end - start);
      position = end;
    }
    ftruncateSync(target, sizeBytes);
  }

  /** From where both stand on, up to the end of the file. */
  #copyPiece(source: number, target: number, sizeBytes: number): void {
    for (let left = sizeBytes; left > 0;) {
      const length = this.#copyRange(source, target, Math.min(left, rangeBytes)) ?? this.#copyThroughMemory(source, target, left);
      if (length === 0) return;
      left -= length;
    }
  }

  /** Undefined when it cannot be done between these files; the next file is not tried then. */
  #copyRange(source: number, target: number, sizeBytes: number): number | undefined {
    if (!this.#canCopyRanges) return undefined;
    const length = Number(libc.copy_file_range(source, null, target, null, sizeBytes, 0));
    if (length >= 0) return length;
    const errno = lastErrno();
    if (![EINVAL, ENOSYS, EOPNOTSUPP, EPERM, EXDEV].includes(errno)) throw new SystemError("copy data", errno);
    this.#canCopyRanges = false;
    return undefined;
  }

  #copyThroughMemory(source: number, target: number, sizeBytes: number): number {
    const length = readSync(source, this.#buffer, 0, Math.min(copyBytes, sizeBytes), null);
    for (let written = 0; written < length;) written += writeSync(target, this.#buffer, written, length - written);
    return length;
  }
}

/** Undefined beyond the last data. A file system that knows no holes has data everywhere. */
function seek(file: number, from: number, whence: number): number | undefined {
  const position = Number(libc.lseek(file, from, whence));
  if (position >= 0) return position;
  const errno = lastErrno();
  if (errno === ENXIO) return undefined;
  if (errno === EINVAL) return whence === SEEK_DATA ? from : undefined;
  throw new SystemError("look for data", errno);
}
