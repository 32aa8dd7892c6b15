/** One frame of a compressed log. */
export interface Block {
  readonly compressedBytes: number;
  readonly textBytes: number;
  /** Time of its latest line. */
  readonly lastTimeNano: bigint;
}

/** A frame that decoders of zstd pass over, so that `zstd -d` reads the file. Source: RFC 8878, 3.1.2. */
const skippableMagic = 0x184d2a5e;
const frameHeadBytes = 8;
const entryBytes = 16;
/** Number of blocks, and a mark that says what stands before it. */
export const indexEndBytes = 8;
const indexMark = 0x474c4f47;

/** The index, to be written behind the blocks. */
export function encodeIndex(blocks: readonly Block[]): Buffer {
  const bytes = Buffer.alloc(frameHeadBytes + blocks.length * entryBytes + indexEndBytes);
  bytes.writeUInt32LE(skippableMagic, 0);
  bytes.writeUInt32LE(bytes.length - frameHeadBytes, 4);
  let at = frameHeadBytes;
  for (const { compressedBytes, textBytes, lastTimeNano } of blocks) {
    bytes.writeUInt32LE(compressedBytes, at);
    bytes.writeUInt32LE(textBytes, at + 4);
    bytes.writeBigUInt64LE(lastTimeNano, at + 8);
    at += entryBytes;
  }
  bytes.writeUInt32LE(blocks.length, at);
  bytes.writeUInt32LE(indexMark, at + 4);
  return bytes;
}

/** Length of the entries that stand before the end of the index; undefined when there is no index. */
export function entriesLength(end: Buffer): number | undefined {
  return end.length === indexEndBytes && end.readUInt32LE(4) === indexMark ? end.readUInt32LE(0) * entryBytes : undefined;
}

export function decodeEntries(bytes: Buffer): Block[] {
  const blocks: Block[] = [];
  for (let at = 0; at + entryBytes <= bytes.length; at += entryBytes) {
    const lastTimeNano = bytes.readBigUInt64LE(at + 8);
    blocks.push({ compressedBytes: bytes.readUInt32LE(at), textBytes: bytes.readUInt32LE(at + 4), lastTimeNano });
  }
  return blocks;
}
