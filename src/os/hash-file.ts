import { closeSync, constants, openSync, readSync } from "node:fs";

import { libc } from "./libc.ts";

const readBytes = 1 << 20;
// Source: fcntl.h, posix_fadvise(2).
const POSIX_FADV_DONTNEED = 4;

/**
 * Hex digest of a file, or of its beginning, as it is on the disk: what memory has of it is given up before and after, so that it neither
 * hides a damage nor pushes out what others work with. Blocks: for helper processes.
 * @param sizeBytes  bytes that are read at most; a shorter file is hashed as it is
 */
export function hashFile(path: string, algorithm: "sha256" | "sha512", sizeBytes = Infinity): string {
  const hasher = new Bun.CryptoHasher(algorithm);
  const file = openSync(path, constants.O_RDONLY);
  const forget = (): void => void libc.posix_fadvise(file, 0, 0, POSIX_FADV_DONTNEED); // may be refused: then memory is read
  forget();
  try {
    const buffer = Buffer.allocUnsafe(readBytes);
    for (let done = 0; done < sizeBytes;) {
      const length = readSync(file, buffer, 0, Math.min(readBytes, sizeBytes - done), done);
      if (length === 0) break;
      hasher.update(buffer.subarray(0, length));
      done += length;
    }
    return hasher.digest("hex");
  } finally {
    forget();
    closeSync(file);
  }
}
