import { once } from "node:events";
import { open, type FileHandle } from "node:fs/promises";
import { crc32, createDeflateRaw, createGunzip } from "node:zlib";

const pieceBytes = 256 << 10;
/** Fixed part of a member's head, and the extra field that says which file it was. Source: RFC 1952. */
const headBytes = 12;
const fieldBytes = 12;
const fieldId = Buffer.from("Ga");
const hasExtraField = 4;
const unixSystem = 3;
const trailerBytes = 8;

/** What a compressed log tells of itself without being decompressed. */
export interface GzipDescription {
  /** inode of the file that it was made of: by that it is known to those who read it while it was compressed. */
  readonly inode: number;
  readonly size: number;
}

/** Writes the whole of a file as one member. Returns the file's inode. */
export async function writeGzip(source: FileHandle, target: FileHandle): Promise<number> {
  const { ino } = await source.stat();
  await target.write(head(ino));
  const deflate = createDeflateRaw();
  const written = writeAll(deflate, target);
  const buffer = Buffer.allocUnsafeSlow(pieceBytes);
  let [checksum, size] = [0, 0];
  for (;;) {
    const { bytesRead } = await source.read(buffer, 0, pieceBytes, size);
    if (bytesRead === 0) break;
    const piece = Buffer.from(buffer.subarray(0, bytesRead));
    checksum = crc32(piece, checksum);
    size += bytesRead;
    if (!deflate.write(piece)) await once(deflate, "drain");
  }
  deflate.end();
  await written;
  await target.write(trailer(checksum, size));
  await target.datasync();
  return ino;
}

/** Undefined when it is no member of ours. */
export async function describeGzip(file: FileHandle): Promise<GzipDescription | undefined> {
  const { size: length, ino } = await file.stat();
  if (length < headBytes + trailerBytes) return undefined;
  const bytes = Buffer.alloc(headBytes + fieldBytes);
  await file.read(bytes, 0, bytes.length, 0);
  const end = Buffer.alloc(trailerBytes);
  await file.read(end, 0, trailerBytes, length - trailerBytes);
  const isOurs = bytes[3] === hasExtraField && bytes.subarray(headBytes, headBytes + 2).equals(fieldId);
  return { inode: isOurs ? Number(bytes.readBigUInt64LE(headBytes + 4)) : ino, size: end.readUInt32LE(4) };
}

/** Decompresses the file at `path` into another one. */
export async function readGzip(path: string, target: FileHandle): Promise<void> {
  await using source = await open(path, "r");
  const gunzip = createGunzip();
  const written = writeAll(gunzip, target);
  written.catch(() => undefined); // awaited below
  for (let position = 0; ;) {
    const buffer = Buffer.allocUnsafeSlow(pieceBytes);
    const { bytesRead } = await source.read(buffer, 0, pieceBytes, position);
    if (bytesRead === 0) break;
    position += bytesRead;
    if (!gunzip.write(buffer.subarray(0, bytesRead))) await Promise.race([once(gunzip, "drain"), written]);
  }
  gunzip.end();
  await written;
}

async function writeAll(source: AsyncIterable<Uint8Array>, target: FileHandle): Promise<void> {
  for await (const piece of source) await target.write(piece);
}

function head(inode: number): Buffer {
  const bytes = Buffer.alloc(headBytes + fieldBytes);
  bytes.set([0x1f, 0x8b, 8, hasExtraField, 0, 0, 0, 0, 0, unixSystem]);
  bytes.writeUInt16LE(fieldBytes, 10);
  fieldId.copy(bytes, headBytes);
  bytes.writeUInt16LE(8, headBytes + 2);
  bytes.writeBigUInt64LE(BigInt(inode), headBytes + 4);
  return bytes;
}

function trailer(checksum: number, size: number): Buffer {
  const bytes = Buffer.alloc(trailerBytes);
  bytes.writeUInt32LE(checksum >>> 0, 0);
  bytes.writeUInt32LE(size % 2 ** 32, 4);
  return bytes;
}
