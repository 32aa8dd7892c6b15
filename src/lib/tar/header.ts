import type { TarEntryType, TarTime } from "./entry.ts";
import { TarError } from "./error.ts";
import { number, text } from "./fields.ts";
import { paxInteger, paxTime, type PaxRecords } from "./pax.ts";

/** Names that came in GNU `L` and `K` entries before the header; "" when there was none. */
export interface LongNames {
  readonly name: string;
  readonly link: string;
}

/** A header with its extended headers applied, before anything is known of sparse maps. */
export interface ParsedHeader {
  readonly type: TarEntryType;
  readonly path: string;
  readonly link: string;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly userName: string;
  readonly groupName: string;
  readonly modified: TarTime;
  /** Bytes of data that follow the header; 0 for everything but files, whatever the field says. */
  readonly storedBytes: number;
  readonly deviceMajor: number;
  readonly deviceMinor: number;
  readonly xattrs: ReadonlyMap<string, Buffer>;
}

const types: Readonly<Record<string, TarEntryType>> = {
  "0": "file",
  "7": "file",
  S: "file",
  "1": "hardlink",
  "2": "symlink",
  "3": "character",
  "4": "block",
  "5": "directory",
  "6": "fifo",
};

/** Type flag of a header; NUL is how archives before POSIX wrote a file. */
export function typeFlag(block: Buffer): string {
  return String.fromCharCode(block[156] || 0x30);
}

/** Source: POSIX pax, "ustar Interchange Format"; GNU tar, tar.h; star(1) for the last bytes. */
export function parseHeader(block: Buffer, pax: PaxRecords, long: LongNames, at: number): ParsedHeader {
  const hasExtendedFields = text(block, 257, 5) === "ustar"; // both POSIX and GNU; without it the fields after 257 are undefined
  const path = pax.values.get("GNU.sparse.name") || pax.values.get("path") || long.name || pathOf(block);
  const type = typeOf(block, path, at);
  const owner = (field: string, offset: number): number => {
    const value = pax.values.get(field);
    const id = value ? paxInteger(value, field, at) : number(block, offset, 8, field, at);
    if (id < 0 || id > 0xfffffffe) throw new TarError(`${field} is out of range`, at);
    return id;
  };
  const isDevice = hasExtendedFields && (type === "character" || type === "block");
  const modified = pax.values.get("mtime");
  return {
    type,
    path,
    link: type === "hardlink" || type === "symlink" ? pax.values.get("linkpath") || long.link || text(block, 157, 100) : "",
    mode: number(block, 100, 8, "mode", at) & 0o7777,
    uid: owner("uid", 108),
    gid: owner("gid", 116),
    userName: pax.values.get("uname") ?? (hasExtendedFields ? text(block, 265, 32) : ""),
    groupName: pax.values.get("gname") ?? (hasExtendedFields ? text(block, 297, 32) : ""),
    modified: modified ? paxTime(modified, at) : { seconds: number(block, 136, 12, "mtime", at), nanoseconds: 0 },
    storedBytes: type === "file" ? storedBytes(block, pax, at) : 0,
    deviceMajor: isDevice ? deviceNumber(block, 329, 0xfff, at) : 0,
    deviceMinor: isDevice ? deviceNumber(block, 337, 0xfffff, at) : 0,
    xattrs: xattrsOf(pax),
  };
}

function typeOf(block: Buffer, path: string, at: number): TarEntryType {
  if (block[156] === 0 && path.endsWith("/")) return "directory"; // archives before POSIX had no type for it
  const type = types[typeFlag(block)];
  if (!type) throw new TarError(`unknown entry type ${JSON.stringify(typeFlag(block))}`, at);
  return type;
}

/** The name field, with the prefix where the format has one: GNU's magic keeps other things there, star's a shorter one. */
function pathOf(block: Buffer): string {
  const name = text(block, 0, 100);
  const isPosix = block.toString("latin1", 257, 263) === "ustar\0";
  if (!isPosix || block[345] === 0) return name;
  const isStar = block.toString("latin1", 508, 512) === "tar\0";
  return `${text(block, 345, isStar ? 131 : 155)}/${name}`;
}

function storedBytes(block: Buffer, pax: PaxRecords, at: number): number {
  const value = pax.values.get("size");
  const size = value ? paxInteger(value, "size", at) : number(block, 124, 12, "size", at);
  if (size < 0 || size > Number.MAX_SAFE_INTEGER - 512) throw new TarError("size is out of range", at);
  return size;
}

function deviceNumber(block: Buffer, offset: number, maximum: number, at: number): number {
  const value = number(block, offset, 8, "device number", at);
  if (value < 0 || value > maximum) throw new TarError("device number is out of range", at);
  return value;
}

const xattrKey = "SCHILY.xattr.";
const noXattrs: ReadonlyMap<string, Buffer> = new Map();

function xattrsOf(pax: PaxRecords): ReadonlyMap<string, Buffer> {
  let found: Map<string, Buffer> | undefined;
  for (const [key, value] of pax.values)
    if (key.startsWith(xattrKey)) (found ??= new Map()).set(key.slice(xattrKey.length), Buffer.from(value, "latin1"));
  return found ?? noXattrs;
}
