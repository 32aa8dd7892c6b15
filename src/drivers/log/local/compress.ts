import { randomUUID } from "node:crypto";
import { existsSync, renameSync } from "node:fs";
import { open, rm, type FileHandle } from "node:fs/promises";
import { promisify } from "node:util";
import { zstdCompress } from "node:zlib";
import { parseRecord } from "./record.ts";
import { encodeIndex, type Block } from "./block-index.ts";

const compressBlock = promisify(zstdCompress);

/** Ends the name of a file that is not whole yet. */
export const unfinishedSuffix = ".tmp";
/** Text of a block: what must be read for one line of it. */
const blockBytes = 256 << 10;
const newline = 10;

/** Replaces `N.log`, which is written no more, by `N.zst`: frames of zstd, each of whole lines, and an index of them behind. */
export async function compressLog(path: string): Promise<void> {
  const target = path.replace(/\.log$/, ".zst");
  // A name of its own: another writer of the same log may be at the same file.
  const unfinished = `${target}.${randomUUID()}${unfinishedSuffix}`;
  try {
    await using source = await open(path, "r");
    await using output = await open(unfinished, "w", 0o640);
    await output.write(encodeIndex(await compressBlocks(source, output)));
    await output.datasync(); // before the only other copy goes
    // At once: in between the file could be rotated away, and would come back.
    if (existsSync(path)) renameSync(unfinished, target);
    await rm(path, { force: true });
  } finally {
    await rm(unfinished, { force: true });
  }
}

async function compressBlocks(source: FileHandle, output: FileHandle): Promise<Block[]> {
  const buffer = Buffer.allocUnsafeSlow(blockBytes);
  const blocks: Block[] = [];
  let position = 0;
  for (;;) {
    const { bytesRead } = await source.read(buffer, 0, blockBytes, position);
    if (bytesRead === 0) break;
    // Whole lines, but for what is damaged.
    const lineEnd = buffer.lastIndexOf(newline, bytesRead - 1) + 1;
    const length = lineEnd > 0 ? lineEnd : bytesRead;
    const text = buffer.subarray(0, length);
    const frame = await compressBlock(text);
    await output.write(frame);
    blocks.push({ compressedBytes: frame.length, textBytes: length, lastTimeNano: latestTime(text) });
    position += length;
  }
  return blocks;
}

/** The parts of a line carry the time of its beginning: the last line need not be the latest. */
function latestTime(text: Buffer): bigint {
  let latest = 0n;
  for (let start = 0; start < text.length;) {
    const end = text.indexOf(newline, start);
    const stop = end < 0 ? text.length : end;
    const time = parseRecord(text.subarray(start, stop))?.timeNano ?? 0n;
    if (time > latest) latest = time;
    start = stop + 1;
  }
  return latest;
}
