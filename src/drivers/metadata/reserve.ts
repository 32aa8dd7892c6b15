import { closeSync, existsSync, openSync, rmSync, statfsSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { libc } from "#os/libc.ts";

const keepSize = 1; // FALLOC_FL_KEEP_SIZE, fallocate(2)
/** More than the log of changes has between two checkpoints. */
const reserveBytes = 6 << 20;

/**
 * Blocks behind the end of the database and of its log, so that what gives space back - removals, exits - can be recorded on a disk that
 * others have filled. They stay with the files. Where there is no room now, or the file system cannot, it goes without.
 */
export function reserveSpace(database: string): void {
  for (const path of [database, `${database}-wal`]) {
    if (!existsSync(path)) continue;
    const descriptor = openSync(path, "r+");
    libc.fallocate(descriptor, keepSize, statSync(path).size, reserveBytes);
    closeSync(descriptor);
  }
}

const nearlyFullBytes = 256 << 10;

/** True when what is written now comes from the reserve: it is not for what takes more space. */
export function isNearlyFull(database: string): boolean {
  const { bavail, bsize } = statfsSync(dirname(database));
  // What is kept for root is not told apart from what nobody gets: only a try tells.
  return bavail * bsize < nearlyFullBytes && !hasRoom(`${database}-probe`);
}

function hasRoom(path: string): boolean {
  try {
    const descriptor = openSync(path, "w", 0o600);
    const isThere = libc.fallocate(descriptor, 0, 0, nearlyFullBytes) === 0;
    closeSync(descriptor);
    return isThere;
  } catch {
    return false; // not even a name
  } finally {
    rmSync(path, { force: true });
  }
}
