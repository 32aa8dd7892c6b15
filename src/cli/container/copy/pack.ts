import { closeSync, constants, fstatSync, lstatSync, openSync, readdirSync, readlinkSync, readSync, type BigIntStats } from "node:fs";
import { encodeHead, endOfArchive, paddingBytes, type TarEntryHead } from "#lib/tar/encode.ts";
import { deviceOf, headInSeconds } from "#lib/tar/stat-head.ts";
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
  const head = headInSeconds(stat, name);
  const key = `${stat.dev}:${stat.ino}`;
  const first = stat.nlink > 1n ? linked.get(key) : undefined;
  if (first !== undefined) return yield encodeHead({ ...head, type: "hardlink", link: first });
  if (stat.nlink > 1n) linked.set(key, name);
  if (stat.isSymbolicLink()) yield encodeHead({ ...head, type: "symlink", link: readlinkSync(pathOf(path), { encoding: "latin1" }) });
  else if (stat.isFile()) yield* file(path, head);
  else {
    const { major, minor } = deviceOf(stat);
    const type = stat.isFIFO() ? "fifo" : stat.isBlockDevice() ? "block" : "character";
    yield encodeHead({ ...head, type, deviceMajor: major, deviceMinor: minor });
  }
}

function* directory(path: string, name: string, stat: BigIntStats, linked: Linked): Generator<Uint8Array, void> {
  yield encodeHead({ ...headInSeconds(stat, `${name}/`), type: "directory" });
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

const bytesOf = (text: string): string => Buffer.from(text).toString("latin1");
const pathOf = (bytes: string): Buffer => Buffer.from(bytes, "latin1");
