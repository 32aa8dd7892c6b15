import { open, type FileHandle } from "node:fs/promises";
import { promisify } from "node:util";
import { zstdDecompress } from "node:zlib";
import { isMissing, type LogFile } from "../log-files.ts";
import { decodeEntries, entriesLength, indexEndBytes, type Block } from "./block-index.ts";

const decompressBlock = promisify(zstdDecompress);

interface PlacedBlock extends Block {
  readonly fileOffset: number;
  readonly position: number;
}

/** A compressed file of the driver `local`: of it only the blocks are read that are asked for. */
export class BlockFile implements LogFile {
  readonly id: number;
  readonly size: number;
  readonly modifiedMilliseconds: number;
  readonly #handle: FileHandle;
  readonly #blocks: readonly PlacedBlock[];
  /** The block that was read last: lines are read one after the other. */
  #index = -1;
  #text: Buffer = Buffer.alloc(0);

  private constructor(handle: FileHandle, id: number, modifiedMilliseconds: number, blocks: readonly Block[]) {
    this.#handle = handle;
    this.id = id;
    this.modifiedMilliseconds = modifiedMilliseconds;
    this.#blocks = place(blocks);
    this.size = blocks.reduce((total, { textBytes }) => total + textBytes, 0);
  }

  /** Undefined when there is no such file. A file without an index, which is damage, has no text. */
  static async open(path: string, id: number): Promise<BlockFile | undefined> {
    let handle: FileHandle;
    try {
      handle = await open(path, "r");
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw error;
    }
    try {
      const { size, mtimeMs } = await handle.stat();
      return new BlockFile(handle, id, mtimeMs, await readIndex(handle, size));
    } catch (error) {
      await handle.close();
      throw error;
    }
  }

  async read(buffer: Buffer, length: number, position: number): Promise<number> {
    const index = this.#blocks.findLastIndex((block) => block.position <= position);
    const block = this.#blocks[index];
    if (!block || position >= this.size) return 0;
    if (index !== this.#index) {
      this.#text = await this.#readBlock(block);
      this.#index = index;
    }
    const start = position - block.position;
    return this.#text.copy(buffer, 0, start, Math.min(start + length, this.#text.length));
  }

  positionOf(timeNano: bigint): number {
    const block = this.#blocks.find(({ lastTimeNano }) => lastTimeNano >= timeNano);
    return block ? block.position : this.size;
  }

  close(): Promise<void> {
    return this.#handle.close();
  }

  /** A damaged block hides its own lines only: it reads as one line that is none. */
  async #readBlock({ fileOffset, compressedBytes, textBytes }: PlacedBlock): Promise<Buffer> {
    const frame = Buffer.alloc(compressedBytes);
    await this.#handle.read(frame, 0, compressedBytes, fileOffset);
    const text = await decompressBlock(frame).catch(() => undefined); // damaged
    if (text?.length === textBytes) return text;
    return Buffer.alloc(textBytes, "\n");
  }
}

async function readIndex(handle: FileHandle, size: number): Promise<Block[]> {
  const end = await readExactly(handle, size - indexEndBytes, indexEndBytes);
  const length = end && entriesLength(end);
  const entries = length === undefined ? undefined : await readExactly(handle, size - indexEndBytes - length, length);
  return entries ? decodeEntries(entries) : [];
}

async function readExactly(handle: FileHandle, position: number, length: number): Promise<Buffer | undefined> {
  if (position < 0) return undefined;
  const bytes = Buffer.alloc(length);
  const { bytesRead } = await handle.read(bytes, 0, length, position);
  return bytesRead === length ? bytes : undefined;
}

function place(blocks: readonly Block[]): PlacedBlock[] {
  let fileOffset = 0;
  let position = 0;
  return blocks.map((block) => {
    const placed = { ...block, fileOffset, position };
    fileOffset += block.compressedBytes;
    position += block.textBytes;
    return placed;
  });
}
