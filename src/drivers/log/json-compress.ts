import { randomUUID } from "node:crypto";
import { renameSync, rmSync, statSync } from "node:fs";
import { open, rm, utimes } from "node:fs/promises";
import { writeGzip } from "./gzip.ts";

/** Ends the name of a file that is not whole yet. */
export const unfinishedSuffix = ".tmp";

/**
 * Replaces a rotated json-file by a compressed one, which has `.gz` behind its name. Rotations go on meanwhile: the file is found by its inode
 * when it is done.
 * @param names  what rotated files may be called now
 */
export async function compressJsonFile(path: string, names: () => readonly string[]): Promise<void> {
  const unfinished = `${path.slice(0, path.lastIndexOf("/"))}/${randomUUID()}${unfinishedSuffix}`;
  try {
    await using source = await open(path, "r");
    await using target = await open(unfinished, "wx", 0o640);
    const inode = await writeGzip(source, target);
    const { atime, mtime } = await source.stat();
    await utimes(unfinished, atime, mtime); // by which readers know what is older than they want
    const name = names().find((candidate) => statSync(candidate, { throwIfNoEntry: false })?.ino === inode);
    if (name === undefined) return; // rotated away
    renameSync(unfinished, `${name}.gz`); // at once: a rotation in between would change the name
    rmSync(name, { force: true });
  } finally {
    await rm(unfinished, { force: true });
  }
}
