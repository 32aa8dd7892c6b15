import { constants } from "node:fs";
import { lstat, open, opendir, type FileHandle } from "node:fs/promises";
import { isInitFile } from "./init-files.ts";

/**
 * Bytes and inodes of a folder's content, the folder itself not counted; a file with several names counts once. Sizes are those that stat
 * tells, as Docker's `SizeRw`. What vanishes while it is counted is not counted. The folder may be a running container's: each step goes
 * through an open directory, so a link put in its place is never followed. What the daemon itself puts into each container is not counted.
 */
export async function folderUsage(folder: string): Promise<{ readonly sizeBytes: number; readonly inodes: number }> {
  const count = { sizeBytes: 0, inodes: 0, seen: new Set<bigint>() };
  await addFolder(folder, "", count);
  return { sizeBytes: count.sizeBytes, inodes: count.inodes };
}

interface Count {
  sizeBytes: number;
  inodes: number;
  readonly seen: Set<bigint>;
}

async function addFolder(path: string, inside: string, count: Count): Promise<void> {
  await using folder = await openFolder(path);
  if (!folder) return;
  const own = `/proc/self/fd/${folder.fd}`;
  for await (const entry of await opendir(own)) {
    const child = `${own}/${entry.name}`;
    const stat = await lstat(child, { bigint: true }).catch(() => undefined); // removed since its name was read
    if (!stat || isInitFile(`${inside}/${entry.name}`, stat)) continue;
    const isLinked = stat.nlink > 1n && !stat.isDirectory();
    if (isLinked && count.seen.has(stat.ino)) continue;
    if (isLinked) count.seen.add(stat.ino);
    count.inodes++;
    if (stat.isDirectory()) await addFolder(child, `${inside}/${entry.name}`, count);
    else count.sizeBytes += Number(stat.size);
  }
}

async function openFolder(path: string): Promise<FileHandle | undefined> {
  try {
    return await open(path, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENOTDIR" || code === "ELOOP") return undefined; // removed or replaced meanwhile
    throw error;
  }
}
