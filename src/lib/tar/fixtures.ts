import { encodeHead, endOfArchive, paddingBytes, type TarEntryHead } from "./encode.ts";
import type { TarEntry } from "./entry.ts";
import { blockBytes } from "./fields.ts";
import { TarReader } from "./reader.ts";

/** Archives for tests: well-formed entries by {@link member}, anything else by {@link rawMember}. */
export function archive(...members: readonly Uint8Array[]): Buffer {
  return Buffer.concat([...members, endOfArchive]);
}

export function member(path: string, fields: Partial<TarEntryHead> = {}, content: string | Uint8Array = ""): Buffer {
  const type = fields.type ?? (path.endsWith("/") ? "directory" : "file");
  const head: TarEntryHead = {
    type,
    path,
    mode: type === "directory" ? 0o755 : 0o644,
    uid: 0,
    gid: 0,
    modified: { seconds: 1_000_000_000, nanoseconds: 0 },
    sizeBytes: content.length,
    ...fields,
  };
  return Buffer.concat([encodeHead(head), padded(content)]);
}

/** A header as it is told, field by field, so that it may be wrong. Sizes not told are those of the content. */
export function rawMember(
  name: string,
  fields: {
    type?: string;
    size?: string | Buffer;
    link?: string;
    magic?: string;
    prefix?: string;
    at?: Record<number, string | Buffer>;
  } = {},
  content: string | Uint8Array = "",
): Buffer {
  const block = Buffer.alloc(blockBytes);
  block.write(name, 0, 100, "latin1");
  block.write("0000644\x000000000\x000000000\0", 100, "latin1");
  put(block, 124, fields.size ?? `${content.length.toString(8).padStart(11, "0")}\0`);
  block.write("07346545000\0", 136, "latin1");
  block.write(fields.type ?? "0", 156, "latin1");
  block.write(fields.link ?? "", 157, 100, "latin1");
  block.write(fields.magic ?? "ustar\x0000", 257, "latin1");
  block.write(fields.prefix ?? "", 345, "latin1");
  for (const [offset, value] of Object.entries(fields.at ?? {})) put(block, Number(offset), value);
  return Buffer.concat([withChecksum(block), padded(content)]);
}

export function paxMember(records: Readonly<Record<string, string>> | readonly (readonly [string, string])[], type = "x"): Buffer {
  const list = Array.isArray(records) ? (records as readonly (readonly [string, string])[]) : Object.entries(records);
  const body = list.map(([key, value]) => paxRecord(key, value)).join("");
  return rawMember("pax", { type }, Buffer.from(body, "latin1"));
}

/** Puts the right checksum into a header block. */
export function withChecksum(block: Buffer): Buffer {
  block.fill(0x20, 148, 156);
  let sum = 0;
  for (const byte of block.subarray(0, blockBytes)) sum += byte;
  block.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148, "latin1");
  return block;
}

/** Reads a whole archive, pushed in pieces of a given size. */
export function readAll(bytes: Uint8Array, pieceBytes = bytes.length): { readonly entry: TarEntry; readonly content: Buffer }[] {
  const found: { entry: TarEntry; content: Buffer }[] = [];
  let pieces: Buffer[] = [];
  const reader = new TarReader({
    entry: () => (pieces = []),
    data: (piece) => pieces.push(Buffer.from(piece)),
    end: (entry) => found.push({ entry, content: Buffer.concat(pieces) }),
  });
  for (let start = 0; start < bytes.length; start += pieceBytes) reader.push(bytes.subarray(start, start + pieceBytes));
  reader.finish();
  return found;
}

function put(block: Buffer, offset: number, value: string | Buffer): void {
  block.set(typeof value === "string" ? Buffer.from(value, "latin1") : value, offset);
}

function padded(content: string | Uint8Array): Buffer {
  const bytes = typeof content === "string" ? Buffer.from(content, "latin1") : content;
  return Buffer.concat([bytes, Buffer.alloc(paddingBytes(bytes.length))]);
}

function paxRecord(key: string, value: string): string {
  let length = key.length + value.length + 3;
  while (length !== `${length} ${key}=${value}\n`.length) length = `${length} ${key}=${value}\n`.length;
  return `${length} ${key}=${value}\n`;
}
