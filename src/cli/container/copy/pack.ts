import { closeSync, constants, fstatSync, lstatSync, openSync, readdirSync, readlinkSync, readSync, type BigIntStats } from "node:fs";
import { encodeHead, endOfArchive, paddingBytes, type TarEntryHead } from "#lib/tar/encode.ts";
import type { CopyInfo, CopyPlan } from "./copy-info.ts";
import { splitEntry } from "./paths.ts";

const { O_NOFOLLOW, O_NONBLOCK, O_RDONLY } = constants;
const copyBytes = 256 << 10;

/** Something of this host as an archive, piece by piece. Names and targets of links are byte strings (latin1). */
export async function* packLocal(source: CopyInfo, renames: CopyPlan["renames"]): AsyncGenerator<Uint8Array, void> {
  const { folder, base } = splitEntry(source.path);
  const renamed = renames.reduce((name, { from, to }) => name.replace(from, () => to), source.rebaseName || base);
  const path = bytesOf(base === "." ? folder : `${folder === "/" ? "" : folder}/${base}`);
  yield* entry(path, bytesOf(renamed === "/" ? "" : renamed), new Map());
  yield endOfArchive;
}

type Linked = Map<string, string>;

/** @param linked  first path of each file with several names, by device and inode */
function* entry(path: string, name: string, linked: Linked): Generator<Uint8Array, void> {
  const stat = lstatSync(pathOf(path), { bigint: true, throwIfNoEntry: false });
  if (!stat || stat.isSocket()) return; // removed since its name was read
  if (stat.isDirectory()) return yield* directory(path, name, stat, linked);
  const head = headOf(stat, name);
  const key = `${stat.dev}:${stat.ino}`;
  const first = stat.nlink > 1n ? linked.get(key) : undefined;
  if (first !== undefined) return yield encodeHead({ ...head, type: "hardlink", link: first });
  if (stat.nlink > 1n) linked.set(key, name);
  if (stat.isSymbolicLink()) yield encodeHead({ ...head, type: "symlink", link: readlinkSync(pathOf(path), { encoding: "latin1" }) });
  else if (stat.isFile()) yield* file(path, head);
  else yield encodeHead({ ...head, ...nodeOf(stat) });
}

function* directory(path: string, name: string, stat: BigIntStats, linked: Linked): Generator<Uint8Array, void> {
  yield encodeHead({ ...headOf(stat, `${name}/`), type: "directory" });
  for (const child of readdirSync(pathOf(path), { encoding: "latin1" }).sort())
    yield* entry(`${path}/${child}`, `${name}/${child}`, linked);
}

/** The size is that of the opened file; one that shrinks meanwhile is filled with zeros, so that the archive stays whole. */
function* file(path: string, head: TarEntryHead): Generator<Uint8Array, void> {
  const descriptor = openSync(pathOf(path), O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  try {
    const sizeBytes = Number(fstatSync(descriptor, { bigint: true }).size);
    yield encodeHead({ ...head, sizeBytes });
    for (let done = 0; done < sizeBytes;) {
      const buffer = Buffer.allocUnsafe(Math.min(copyBytes, sizeBytes - done));
      const length = readSync(descriptor, buffer, 0, buffer.length, done);
      const piece = length > 0 ? buffer.subarray(0, length) : buffer.fill(0);
      yield piece;
      done += piece.length;
    }
    yield Buffer.alloc(paddingBytes(sizeBytes));
  } finally {
    closeSync(descriptor);
  }
}

function nodeOf(stat: BigIntStats): Pick<TarEntryHead, "type" | "deviceMajor" | "deviceMinor"> {
  if (stat.isFIFO()) return { type: "fifo" };
  const device = stat.rdev;
  return {
    type: stat.isBlockDevice() ? "block" : "character",
    // Source: makedev(3) of the GNU C library.
    deviceMajor: Number(((device >> 8n) & 0xfffn) | ((device >> 32n) & ~0xfffn)),
    deviceMinor: Number((device & 0xffn) | ((device >> 12n) & ~0xffn)),
  };
}

function headOf(stat: BigIntStats, path: string): TarEntryHead {
  return {
    type: "file",
    path,
    mode: Number(stat.mode) & 0o7777,
    uid: Number(stat.uid),
    gid: Number(stat.gid),
    modified: { seconds: Math.floor(Number(stat.mtimeNs) / 1e9), nanoseconds: 0 },
    sizeBytes: 0,
  };
}

const bytesOf = (text: string): string => Buffer.from(text).toString("latin1");
const pathOf = (bytes: string): Buffer => Buffer.from(bytes, "latin1");
