import { close, fstat, open, read, stat } from "node:fs";
import { promisify } from "node:util";

const openFile = promisify(open);
const statFile = promisify(stat);
const statDescriptor = promisify(fstat);
const closeFile = promisify(close);

/** An open file of a container's log. */
export interface LogFile {
  readonly descriptor: number;
  readonly inode: number;
  /** Size when it was opened. */
  readonly size: number;
  readonly modifiedMilliseconds: number;
}

const snapshotAttempts = 20;

/**
 * Opens all files of a log, oldest first, as they stand between two rotations. The caller closes them.
 * @throws ErrnoException other than `ENOENT`
 */
export async function openLogFiles(path: string): Promise<LogFile[]> {
  for (let attempt = 1; ; attempt++) {
    const files = await openAll(path);
    const newest = files.at(-1);
    const unchanged = (await inodeOf(path)) === (newest?.inode ?? 0) && new Set(files.map((file) => file.inode)).size === files.length;
    if (unchanged || attempt === snapshotAttempts) return files;
    await closeLogFiles(files);
  }
}

async function openAll(path: string): Promise<LogFile[]> {
  const files: LogFile[] = [];
  try {
    // Newest first: a rotation in between shows one twice, and is seen by that.
    for (let number = 0; ; number++) {
      const file = await openLogFile(number === 0 ? path : `${path}.${number}`);
      if (file) files.unshift(file);
      else if (number > 0) return files;
    }
  } catch (error) {
    await closeLogFiles(files);
    throw error;
  }
}

/** Opens the file that came after the one with this inode; the oldest one when that is gone; undefined when there is none yet. */
export async function openNextLogFile(path: string, inode: number): Promise<LogFile | undefined> {
  const files = await openLogFiles(path);
  const index = files.findIndex((file) => file.inode === inode);
  const next = files[index + 1];
  await closeLogFiles(files.filter((file) => file !== next));
  return next;
}

export async function closeLogFiles(files: readonly LogFile[]): Promise<void> {
  for (const { descriptor } of files) await closeFile(descriptor);
}

/** 0 when there is no such file. */
export async function inodeOf(path: string): Promise<number> {
  try {
    return (await statFile(path)).ino;
  } catch (error) {
    if (isMissing(error)) return 0;
    throw error;
  }
}

async function openLogFile(path: string): Promise<LogFile | undefined> {
  let descriptor: number;
  try {
    descriptor = await openFile(path, "r");
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
  const { ino, size, mtimeMs } = await statDescriptor(descriptor);
  return { descriptor, inode: ino, size, modifiedMilliseconds: mtimeMs };
}

function isMissing(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === "ENOENT";
}

/** Reads at a position without waiting on this thread; fewer bytes than asked for at the end of the file. */
export function readFileAt(descriptor: number, buffer: Buffer, length: number, position: number): Promise<number> {
  return new Promise((resolve, reject) => {
    read(descriptor, buffer, 0, length, position, (error, count) => {
      if (error) reject(error);
      else resolve(count);
    });
  });
}
