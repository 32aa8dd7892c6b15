import { paddingBytes, type TarEntryHead } from "#lib/tar/encode.ts";
import type { SparseSegment } from "#lib/tar/entry.ts";
import { member, paxMember, rawMember } from "#lib/tar/fixtures.ts";

/** How archivers write an entry. `member()` of the fixtures writes the first one. */
export type TarForm = "pax" | "gnu" | "ustar" | "v7";
export type SparseForm = "old" | "0.0" | "0.1" | "1.0";

export type MemberFields = Partial<Omit<TarEntryHead, "path" | "sizeBytes">>;

const typeFlags = { file: "0", hardlink: "1", symlink: "2", character: "3", block: "4", directory: "5", fifo: "6" } as const;

/** An entry in the form wanted, without what that form has no place for; in the pax form where names or type do not fit at all. */
export function memberIn(form: TarForm, path: string, fields: MemberFields, content: Uint8Array = Buffer.alloc(0)): Buffer {
  const wanted = { mode: 0o644, uid: 0, gid: 0, modified: { seconds: 0, nanoseconds: 0 }, ...fields };
  if (form === "gnu") return gnuMember(path, wanted, content);
  const { uid, gid, modified } = wanted;
  const areNumbersSmall = uid < 2 ** 21 && gid < 2 ** 21 && modified.seconds >= 0 && modified.seconds < 2 ** 33;
  const name = form === "ustar" ? splitName(path) : path.length <= 100 ? { prefix: "", name: path } : undefined;
  const isLinkShort = (fields.link ?? "").length <= 100;
  const isKnown = form === "ustar" || ["file", "directory", "hardlink", "symlink"].includes(typeOf(path, fields));
  if (form === "pax" || !name || !isLinkShort || !areNumbersSmall || !isKnown) return member(path, fields, content);
  const magic = form === "ustar" ? "ustar\x0000" : "\0\0\0\0\0\0\0\0";
  // What came before POSIX told directories by their name alone.
  const flag = typeFlags[typeOf(path, fields)];
  const type = form === "v7" && (flag === "0" || flag === "5") ? "\0" : flag;
  const link = fields.link ?? "";
  return rawMember(name.name, { type, magic, prefix: name.prefix, link, at: numbers(wanted) }, content);
}

/** A file with holes. @param content the bytes of all segments, one after the other */
export function sparseMember(form: SparseForm, path: string, segments: readonly SparseSegment[], sizeBytes: number, content: Buffer) {
  const pairs = segments.flatMap(({ offset, sizeBytes: length }) => [offset, length]);
  if (form === "old") return oldSparseMember(path, segments, sizeBytes, content);
  if (form === "1.0") {
    const map = Buffer.from([segments.length, ...pairs].map((value) => `${value}\n`).join(""));
    const records = { "GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.name": path, "GNU.sparse.realsize": `${sizeBytes}` };
    return Buffer.concat([paxMember(records), rawMember("GNUSparseFile.0/f", {}, Buffer.concat([padded(map), content]))]);
  }
  const common: [string, string][] = [
    ["GNU.sparse.size", String(sizeBytes)],
    ["GNU.sparse.numblocks", String(segments.length)],
  ];
  if (form === "0.1") common.push(["GNU.sparse.name", path], ["GNU.sparse.map", pairs.join(",")]);
  else
    common.push(
      ["path", path],
      ...pairs.map((value, at): [string, string] => [`GNU.sparse.${at % 2 ? "numbytes" : "offset"}`, `${value}`]),
    );
  return Buffer.concat([paxMember(common), rawMember("GNUSparseFile.0/f", {}, content)]);
}

/** Names and targets of any length in entries of their own before it, numbers of any size in base 256. */
function gnuMember(
  path: string,
  fields: Required<Pick<TarEntryHead, "mode" | "uid" | "gid" | "modified">> & MemberFields,
  content: Uint8Array,
) {
  const long = (flag: string, text: string): Buffer[] =>
    text.length > 100 ? [rawMember("././@LongLink", { type: flag, magic: "ustar  \0" }, Buffer.from(`${text}\0`, "latin1"))] : [];
  const link = fields.link ?? "";
  const devices: Record<number, string> =
    fields.deviceMajor === undefined ? {} : { 329: octal(fields.deviceMajor, 8), 337: octal(fields.deviceMinor ?? 0, 8) };
  return Buffer.concat([
    ...long("K", link),
    ...long("L", path),
    rawMember(
      path.slice(0, 100),
      { type: typeFlags[typeOf(path, fields)], magic: "ustar  \0", link: link.slice(0, 100), at: { ...numbers(fields), ...devices } },
      content,
    ),
  ]);
}

function oldSparseMember(path: string, segments: readonly SparseSegment[], sizeBytes: number, content: Buffer): Buffer {
  const slot = ({ offset, sizeBytes: length }: SparseSegment): string => octal(offset, 12) + octal(length, 12);
  const [first, rest] = [segments.slice(0, 4), segments.slice(4)];
  const extensions: Buffer[] = [];
  for (let at = 0; at < rest.length; at += 21) {
    const block = Buffer.alloc(512);
    block.write(
      rest
        .slice(at, at + 21)
        .map(slot)
        .join(""),
      0,
      "latin1",
    );
    block[504] = at + 21 < rest.length ? 1 : 0;
    extensions.push(block);
  }
  const at = { 386: first.map(slot).join(""), 482: rest.length > 0 ? "\x01" : "\0", 483: octal(sizeBytes, 12) };
  const header = rawMember(path, { type: "S", magic: "ustar  \0", size: octal(content.length, 12), at });
  return Buffer.concat([header, ...extensions, padded(content)]);
}

function typeOf(path: string, { type }: MemberFields) {
  return type ?? (path.endsWith("/") ? "directory" : "file");
}

/** Where a path may be cut for the prefix field; undefined when nowhere. */
function splitName(path: string): { readonly prefix: string; readonly name: string } | undefined {
  if (path.length <= 100) return { prefix: "", name: path };
  for (let at = path.lastIndexOf("/", 155); at > 0; at = path.lastIndexOf("/", at - 1)) {
    const name = path.slice(at + 1);
    if (name.length > 0 && name.length <= 100) return { prefix: path.slice(0, at), name };
  }
  return undefined;
}

function numbers({ mode, uid, gid, modified, deviceMajor, deviceMinor }: MemberFields): Record<number, string | Buffer> {
  return {
    100: octal(mode ?? 0, 8),
    108: numeric(uid ?? 0, 8),
    116: numeric(gid ?? 0, 8),
    136: numeric(modified?.seconds ?? 0, 12),
    ...(deviceMajor !== undefined && { 329: octal(deviceMajor, 8), 337: octal(deviceMinor ?? 0, 8) }),
  };
}

const octal = (value: number, width: number): string => `${value.toString(8).padStart(width - 1, "0")}\0`;

function numeric(value: number, width: number): string | Buffer {
  if (value >= 0 && value < 8 ** (width - 1)) return octal(value, width);
  const field = Buffer.alloc(width, value < 0 ? 0xff : 0);
  field.writeBigInt64BE(BigInt(value), width - 8);
  field[0] = (field[0] ?? 0) | 0x80;
  return field;
}

function padded(bytes: Buffer): Buffer {
  return Buffer.concat([bytes, Buffer.alloc(paddingBytes(bytes.length))]);
}
