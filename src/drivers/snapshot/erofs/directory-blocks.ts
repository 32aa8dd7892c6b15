import { blockBytes, directoryEntryBytes } from "./format.ts";

/** One block of a directory: its names from `start` to before `end` of the sorted list. */
export interface DirectoryBlock {
  readonly start: number;
  readonly end: number;
  readonly usedBytes: number;
}

/** Cuts sorted names into blocks; each holds its entries and then their names. At least one block: `.` and `..` are among the names. */
export function directoryBlocks(names: readonly string[]): DirectoryBlock[] {
  const blocks: DirectoryBlock[] = [];
  let start = 0;
  let used = 0;
  names.forEach((name, index) => {
    const cost = directoryEntryBytes + name.length;
    if (used + cost > blockBytes) {
      blocks.push({ start, end: index, usedBytes: used });
      start = index;
      used = 0;
    }
    used += cost;
  });
  blocks.push({ start, end: names.length, usedBytes: used });
  return blocks;
}

/** Size of a directory's content: whole blocks, but the last one ends with its last name. */
export function directoryBytes(blocks: readonly DirectoryBlock[]): number {
  return (blocks.length - 1) * blockBytes + (blocks.at(-1)?.usedBytes ?? 0);
}
