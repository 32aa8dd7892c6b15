import type { TarEntryType, TarTime } from "./entry.ts";
import { blockBytes } from "./fields.ts";

/** An entry to be written. Texts are byte strings, as in {@link TarEntry}. */
export interface TarEntryHead {
  readonly type: TarEntryType;
  readonly path: string;
  readonly link?: string;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly modified: TarTime;
  /** Bytes of data that will follow; 0 for everything but files. */
  readonly sizeBytes: number;
  readonly deviceMajor?: number;
  readonly deviceMinor?: number;
  readonly xattrs?: ReadonlyMap<string, Buffer>;
}

const flags: Readonly<Record<TarEntryType, string>> = {
  file: "0",
  hardlink: "1",
  symlink: "2",
  character: "3",
  block: "4",
  directory: "5",
  fifo: "6",
};

/** Two blocks of zeros. */
export const endOfArchive: Uint8Array = Buffer.alloc(2 * blockBytes);

/** Bytes of zeros that follow data of this size. */
export function paddingBytes(sizeBytes: number): number {
  return (blockBytes - (sizeBytes % blockBytes)) % blockBytes;
}

/**
 * The header blocks of one entry: USTAR, with a PAX header before it for what USTAR cannot hold (long or non-ASCII names, large numbers,
 * parts of seconds, attributes). The caller writes data and padding. Source: POSIX pax.
 */
export function encodeHead(head: TarEntryHead): Buffer {
  const records = paxRecords(head);
  if (records.length === 0) return ustarBlock(head, flags[head.type]);
  const body = Buffer.concat(records);
  const carrier: TarEntryHead = {
    type: "file",
    path: "PaxHeaders.0/entry",
    mode: 0o644,
    uid: 0,
    gid: 0,
    modified: { seconds: 0, nanoseconds: 0 },
    sizeBytes: body.length,
  };
  return Buffer.concat([ustarBlock(carrier, "x"), body, Buffer.alloc(paddingBytes(body.length)), ustarBlock(head, flags[head.type])]);
}

function paxRecords(head: TarEntryHead): Buffer[] {
  const records: Buffer[] = [];
  const add = (key: string, value: string): unknown => records.push(paxRecord(key, value));
  const { modified, path, link = "", sizeBytes, uid, gid } = head;
  if (!fits(path)) add("path", path);
  if (!fits(link)) add("linkpath", link);
  if (modified.nanoseconds !== 0 || modified.seconds < 0 || modified.seconds > 0o77777777777) add("mtime", paxTimeText(modified));
  if (sizeBytes > 0o77777777777) add("size", String(sizeBytes));
  if (uid > 0o7777777) add("uid", String(uid));
  if (gid > 0o7777777) add("gid", String(gid));
  const sorted = [...(head.xattrs ?? [])].sort(([first], [second]) => (first < second ? -1 : 1));
  for (const [name, value] of sorted) add(`SCHILY.xattr.${name}`, value.toString("latin1"));
  return records;
}

/** Whether a text can stand in a field of 100 bytes. Bytes beyond ASCII are kept for PAX, which is UTF-8 or binary by declaration. */
function fits(value: string): boolean {
  return value.length <= 100 && /^[\x00-\x7f]*$/.test(value);
}

/** A record begins with its own length, whose digits count too. */
function paxRecord(key: string, value: string): Buffer {
  const rest = key.length + value.length + 3;
  let length = rest + String(rest).length;
  if (String(length).length !== String(rest).length) length++;
  return Buffer.from(`${length} ${key}=${value}\n`, "latin1");
}

function paxTimeText({ seconds, nanoseconds }: TarTime): string {
  const nano = BigInt(seconds) * 1_000_000_000n + BigInt(nanoseconds);
  const absolute = nano < 0n ? -nano : nano;
  const fraction = (absolute % 1_000_000_000n).toString().padStart(9, "0").replace(/0+$/, "");
  return `${nano < 0n ? "-" : ""}${absolute / 1_000_000_000n}${fraction ? `.${fraction}` : ""}`;
}

function ustarBlock(head: TarEntryHead, flag: string): Buffer {
  const block = Buffer.alloc(blockBytes);
  block.write(head.path, 0, 100, "latin1");
  octal(block, 100, 8, head.mode & 0o7777);
  octal(block, 108, 8, head.uid);
  octal(block, 116, 8, head.gid);
  octal(block, 124, 12, head.sizeBytes);
  octal(block, 136, 12, Math.max(0, head.modified.seconds));
  block.write(flag, 156, "latin1");
  block.write(head.link ?? "", 157, 100, "latin1");
  block.write("ustar\x0000", 257, "latin1");
  octal(block, 329, 8, head.deviceMajor ?? 0);
  octal(block, 337, 8, head.deviceMinor ?? 0);
  block.fill(0x20, 148, 156);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148, "latin1");
  return block;
}

/** A number that does not fit is 0: its value is in the PAX header. */
function octal(block: Buffer, offset: number, length: number, value: number): void {
  const digits = value.toString(8);
  block.write((digits.length < length ? digits : "").padStart(length - 1, "0"), offset, "latin1");
}
