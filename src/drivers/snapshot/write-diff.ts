import { closeSync, existsSync, fstatSync, fsyncSync, openSync, readSync, writeSync, type BigIntStats } from "node:fs";
import { parseDigest } from "#lib/digest.ts";
import { encodeHead, endOfArchive, paddingBytes, type TarEntryHead } from "#lib/tar/encode.ts";
import { ConfinedDirectory } from "#os/confined.ts";
import { findNameChanges, type NameChange } from "./diff.ts";
import { isMadeForAll } from "./init-files.ts";
import type { LowerLookup } from "./layer-tree.ts";
import { withLowers } from "./lower-lookup.ts";
import { SystemError } from "#os/libc.ts";
import { opaqueWhiteout, opaqueXattr, overlayXattrPrefix, whiteoutPrefix } from "./overlay-marks.ts";
import { deviceOf, headOfStat, modifiedOf } from "#lib/tar/stat-head.ts";
import { capabilitiesInside, capabilityXattr } from "./file-capabilities.ts";
import { isWhiteout } from "./stat-fields.ts";
import type { DiffId } from "./types.ts";
import { isWholeUpper } from "./vfs/whole-upper.ts";

const copyBytes = 1 << 20;

/**
 * Writes an upper folder as a layer archive. All that lies in the upper is written, of a copied tree what differs; unchanged directories on the
 * way too, so that the layer implies no directory. Sockets are left out, as in Docker, and what every container has. Blocks: for helper processes.
 * @param lowers folders of the layers, top first
 * @param path a file that does not exist yet; synced when this returns
 * Source: OCI image-spec, layer.md, "Whiteouts".
 */
export function writeDiffArchive(
  upper: string,
  lowers: readonly string[],
  path: string,
): { readonly diffId: DiffId; readonly sizeBytes: number } {
  const file = openSync(path, "wx", 0o600);
  try {
    const differences = isWholeUpper(upper) ? new Differences(findNameChanges(upper, lowers, { withAttributes: true })) : undefined;
    const archive = withLowers(lowers, (lookup) => {
      const begun = new DiffArchive(file, lookup, differences);
      if (!existsSync(upper)) return begun; // not even begun to start
      using root = ConfinedDirectory.openPath(upper);
      begun.directory(root, "");
      return begun;
    });
    const result = archive.end();
    fsyncSync(file);
    return result;
  } finally {
    closeSync(file);
  }
}

/** What there is to write of a tree that holds all files. Paths are without a slash at the start. */
class Differences {
  readonly #present = new Set<string>();
  /** Names that are gone, by the path of their directory. */
  readonly #gone = new Map<string, string[]>();

  constructor(changes: readonly NameChange[]) {
    for (const { path, kind } of changes) {
      const slash = path.lastIndexOf("/");
      if (kind !== 2) this.#present.add(path.slice(1));
      else this.#addGone(path.slice(1, slash), path.slice(slash + 1));
    }
  }

  #addGone(parent: string, name: string): void {
    const names = this.#gone.get(parent);
    if (names) names.push(name);
    else this.#gone.set(parent, [name]);
  }

  has(path: string): boolean {
    return this.#present.has(path);
  }

  goneIn(path: string): readonly string[] {
    return this.#gone.get(path) ?? [];
  }
}

class DiffArchive {
  readonly #file: number;
  readonly #lookup: LowerLookup;
  /** Absent for an upper of overlayfs, which holds nothing else. */
  readonly #differences: Differences | undefined;
  readonly #hasher = new Bun.CryptoHasher("sha256");
  readonly #buffer = Buffer.allocUnsafe(copyBytes);
  /** First path of each inode with several names. */
  readonly #links = new Map<bigint, string>();
  #sizeBytes = 0;

  constructor(file: number, lookup: LowerLookup, differences: Differences | undefined) {
    this.#file = file;
    this.#lookup = lookup;
    this.#differences = differences;
  }

  directory(directory: ConfinedDirectory, path: string): void {
    for (const name of this.#differences?.goneIn(path) ?? []) this.#mark(path, `${whiteoutPrefix}${name}`, directory.ownStat());
    for (const name of directory.names()) {
      const childPath = path === "" ? name : `${path}/${name}`;
      if (this.#differences?.has(childPath) !== false) this.#entry(directory, name, childPath, path);
    }
  }

  end(): { readonly diffId: DiffId; readonly sizeBytes: number } {
    this.#write(endOfArchive);
    return { diffId: parseDigest(`sha256:${this.#hasher.digest("hex")}`), sizeBytes: this.#sizeBytes };
  }

  #entry(parent: ConfinedDirectory, name: string, path: string, parentPath: string): void {
    const stat = parent.stat(name);
    if (!stat || stat.isSocket()) return;
    if (isWhiteout(stat)) return this.#mark(parentPath, `${whiteoutPrefix}${name}`, stat);
    if (stat.isDirectory()) return this.#subdirectory(parent, name, path, stat);
    if (isMadeForAll(`/${path}`, stat)) return;
    const first = stat.nlink > 1n ? this.#links.get(stat.ino) : undefined;
    if (first !== undefined) return this.#write(encodeHead({ ...headOfStat(stat, path), type: "hardlink", link: first, sizeBytes: 0 }));
    if (stat.nlink > 1n) this.#links.set(stat.ino, path);
    const head = { ...headOfStat(stat, path), xattrs: keptXattrs(parent, name) };
    if (stat.isSymbolicLink()) this.#write(encodeHead({ ...head, type: "symlink", link: parent.readLink(name), sizeBytes: 0 }));
    else if (stat.isFile()) this.#regularFile(parent, name, head);
    else this.#device(head, stat);
  }

  #subdirectory(parent: ConfinedDirectory, name: string, path: string, stat: BigIntStats): void {
    using directory = parent.open(name);
    if (!directory) return; // replaced since it was looked at
    if (!this.#differences && holdsOnlyWhatAllHave(directory, path) && !this.#isChanged(path, stat)) return;
    this.#write(encodeHead({ ...headOfStat(stat, `${path}/`), type: "directory", sizeBytes: 0, xattrs: keptXattrs(directory, ".") }));
    if (directory.xattr(".", opaqueXattr)?.toString() === "y") this.#mark(path, opaqueWhiteout, stat);
    this.directory(directory, path);
  }

  /** Of a directory that is in the upper for what every container has in it: time and size are not the container's doing. */
  #isChanged(path: string, stat: BigIntStats): boolean {
    const below = this.#lookup(path);
    if (!below) return false;
    return (Number(stat.mode) & 0o7777) !== below.mode || Number(stat.uid) !== below.uid || Number(stat.gid) !== below.gid;
  }

  #mark(parentPath: string, name: string, stat: BigIntStats): void {
    const path = parentPath === "" ? name : `${parentPath}/${name}`;
    this.#write(encodeHead({ type: "file", path, mode: 0, uid: 0, gid: 0, modified: modifiedOf(stat), sizeBytes: 0 }));
  }

  #device(head: TarEntryHead, stat: BigIntStats): void {
    const { major, minor } = deviceOf(stat);
    const type = stat.isFIFO() ? "fifo" : stat.isBlockDevice() ? "block" : "character";
    this.#write(encodeHead({ ...head, type, sizeBytes: 0, deviceMajor: major, deviceMinor: minor }));
  }

  /** The size is that of the opened file; one that shrinks meanwhile is filled with zeros, so that the archive stays whole. */
  #regularFile(parent: ConfinedDirectory, name: string, head: TarEntryHead): void {
    const file = openThatIsThere(parent, name);
    if (file === undefined) return;
    try {
      const stat = fstatSync(file, { bigint: true });
      if (!stat.isFile()) return; // replaced since it was looked at
      const sizeBytes = Number(stat.size);
      this.#write(encodeHead({ ...head, sizeBytes }));
      for (let done = 0; done < sizeBytes;) {
        const wanted = Math.min(copyBytes, sizeBytes - done);
        const length = readSync(file, this.#buffer, 0, wanted, done);
        const piece = length > 0 ? this.#buffer.subarray(0, length) : this.#buffer.subarray(0, wanted).fill(0);
        this.#write(piece);
        done += piece.length;
      }
      this.#write(Buffer.alloc(paddingBytes(sizeBytes)));
    } finally {
      closeSync(file);
    }
  }

  #write(chunk: Uint8Array): void {
    this.#hasher.update(chunk);
    this.#sizeBytes += chunk.length;
    for (let written = 0; written < chunk.length;) written += writeSync(this.#file, chunk, written);
  }
}

/** Undefined for a file that a container, which runs, has removed since it was looked at. */
function openThatIsThere(parent: ConfinedDirectory, name: string): number | undefined {
  try {
    return parent.openFile(name);
  } catch (error) {
    if (error instanceof SystemError && ["ENOENT", "ELOOP"].includes(error.code)) return undefined;
    throw error;
  }
}

/** True for `/etc`, `/dev` and the like where nothing lies beside what the daemon or a runtime has made. */
function holdsOnlyWhatAllHave(directory: ConfinedDirectory, path: string): boolean {
  if (path !== "etc" && !isMadeForAll(`/${path}`, directory.ownStat())) return false;
  if (directory.xattr(".", opaqueXattr)?.toString() === "y") return false;
  return directory.names().every((name) => {
    const stat = directory.stat(name);
    if (!stat) return true; // removed since the names were read
    if (!isMadeForAll(`/${path}/${name}`, stat)) return false;
    if (!stat.isDirectory()) return true;
    using child = directory.open(name);
    return !child || holdsOnlyWhatAllHave(child, `${path}/${name}`);
  });
}

function keptXattrs(directory: ConfinedDirectory, name: string): ReadonlyMap<string, Buffer> {
  const xattrs = directory.xattrs(name);
  for (const key of xattrs.keys()) if (key.startsWith(overlayXattrPrefix)) xattrs.delete(key);
  const capabilities = xattrs.get(capabilityXattr);
  if (capabilities) xattrs.set(capabilityXattr, capabilitiesInside(capabilities, undefined));
  return xattrs;
}
