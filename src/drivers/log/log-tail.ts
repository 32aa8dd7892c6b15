import type { LogFile } from "./log-files.ts";

const blockBytes = 64 << 10;
const newline = 10;

/** Where to begin to read: a file of the list and a position in it. */
export interface TailStart {
  readonly index: number;
  readonly position: number;
}

/** Finds the beginning of the last `lines` lines over several files, oldest first, reading backwards only as far as needed. */
export async function findTail(files: readonly LogFile[], lines: number): Promise<TailStart> {
  const last = files.at(-1);
  if (!last) return { index: 0, position: 0 };
  if (lines === 0) return { index: files.length - 1, position: await lastLineEnd(last) };
  let missing = lines;
  const block = Buffer.allocUnsafeSlow(blockBytes);
  for (let index = files.length - 1; index >= 0; index--) {
    const file = files[index];
    if (!file) break;
    const found = await countBack(file, missing, block);
    if (found.position !== undefined) return { index, position: found.position };
    missing -= found.lines;
    if (missing <= 0) return { index, position: 0 };
  }
  return { index: 0, position: 0 };
}

/** The position behind the line break before the last `lines` lines, or how many lines the file has when that is fewer. */
async function countBack(file: LogFile, lines: number, block: Buffer): Promise<{ readonly lines: number; readonly position?: number }> {
  let count = 0;
  let end = file.size;
  while (end > 0) {
    const start = Math.max(0, end - blockBytes);
    const length = await readFully(file, block, end - start, start);
    let at = length;
    while ((at = at > 0 ? block.lastIndexOf(newline, at - 1) : -1) >= 0) {
      // The break at the end of the wanted lines' predecessor is one more than the lines themselves have.
      if (count === lines) return { lines: count, position: start + at + 1 };
      count++;
    }
    end = start;
  }
  return { lines: count };
}

/** A line that is being written now belongs to those who follow. */
async function lastLineEnd(file: LogFile): Promise<number> {
  const found = await countBack(file, 0, Buffer.allocUnsafeSlow(blockBytes));
  return found.position ?? 0;
}

/** A file may give less than is asked for at its inner borders. */
async function readFully(file: LogFile, block: Buffer, length: number, position: number): Promise<number> {
  let filled = 0;
  while (filled < length) {
    const count = await file.read(block.subarray(filled), length - filled, position + filled);
    if (count === 0) break;
    filled += count;
  }
  return filled;
}
