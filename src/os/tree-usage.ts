import { constants } from "node:fs";
import type { BigIntStats } from "node:fs";
import { lstat, open, opendir, type FileHandle } from "node:fs/promises";

export interface TreeUsage {
  /** Sizes that stat tells: holes of sparse files count, folders do not. */
  readonly sizeBytes: number;
  /** Blocks that files and folders take. */
  readonly allocatedBytes: number;
  readonly inodes: number;
}

const blockBytes = 512;

export interface TreeUsageOptions {
  /** Is given paths below the folder, with a slash at the start. */
  readonly isLeftOut?: (path: string, stat: BigIntStats) => boolean;
  /** Folders in which nothing takes a block take none either: a runtime has made them to mount on. */
  readonly skipsEmptyFolders?: boolean;
}

/**
 * What a folder's content takes, the folder itself not counted; a file with several names counts once, what is mounted below does not. What
 * vanishes while it is counted is not counted. The folder may be a running container's: each step goes through an open directory, so a link
 * put in its place is never followed.
 */
export async function treeUsage(folder: string, options: TreeUsageOptions = {}): Promise<TreeUsage> {
  const count = { sizeBytes: 0, allocatedBytes: 0, inodes: 0, seen: new Set<bigint>() };
  await addFolder(folder, "", options, count);
  return { sizeBytes: count.sizeBytes, allocatedBytes: count.allocatedBytes, inodes: count.inodes };
}

/** Blocks that a file takes; 0 when it is not there. */
export async function allocatedBytes(path: string): Promise<number> {
  return lstat(path).then(
    ({ blocks }) => blocks * blockBytes,
    () => 0,
  );
}

interface Count {
  sizeBytes: number;
  allocatedBytes: number;
  inodes: number;
  readonly seen: Set<bigint>;
}

async function addFolder(path: string, inside: string, options: TreeUsageOptions, count: Count): Promise<void> {
  await using folder = await openFolder(path);
  if (!folder) return;
  const own = `/proc/self/fd/${folder.fd}`;
  const { dev } = await folder.stat({ bigint: true });
  for await (const entry of await opendir(own)) {
    const child = `${own}/${entry.name}`;
    const stat = await lstat(child, { bigint: true }).catch(() => undefined); // removed since its name was read
    if (!stat || stat.dev !== dev || options.isLeftOut?.(`${inside}/${entry.name}`, stat)) continue;
    const isLinked = stat.nlink > 1n && !stat.isDirectory();
    if (isLinked && count.seen.has(stat.ino)) continue;
    if (isLinked) count.seen.add(stat.ino);
    count.inodes++;
    const before = count.allocatedBytes;
    if (stat.isDirectory()) await addFolder(child, `${inside}/${entry.name}`, options, count);
    else count.sizeBytes += Number(stat.size);
    const isSkipped = options.skipsEmptyFolders && stat.isDirectory() && count.allocatedBytes === before;
    if (!isSkipped) count.allocatedBytes += Number(stat.blocks) * blockBytes;
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
