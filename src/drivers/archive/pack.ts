import { closeSync, constants, readSync, type BigIntStats } from "node:fs";
import { posix } from "node:path";
import { encodeHead, endOfArchive, paddingBytes, type TarEntryHead } from "#lib/tar/encode.ts";
import { ConfinedDirectory } from "#os/confined.ts";
import { SystemError } from "#os/libc.ts";
import { PathHandle } from "#os/path-handle.ts";
import { deviceOf, headInSeconds } from "#lib/tar/stat-head.ts";
import { toContainerId } from "#lib/id-map.ts";
import type { IdMap } from "#types/record/id-map.ts";
import { capabilitiesInside, capabilityXattr } from "../snapshot/file-capabilities.ts";
import type { FrameOutput } from "./frame-output.ts";
import { namesContent } from "./path.ts";

const { O_DIRECTORY, O_NOATIME, O_RDONLY } = constants;
/**
 * Writes a file, or a directory with its content, as an archive in which it has the name that its path ends with.
 * @param path  a byte string, absolute; its end (`/`, `/.`) counts
 * @param idMap  of the container's user namespace
 */
export function packPath(handle: PathHandle, path: string, output: FrameOutput, idMap: IdMap | undefined): void {
  const archive = new ContainerArchive(output, idMap);
  const base = posix.basename(path);
  if (handle.stat().isDirectory()) archive.directory(handle, namesContent(path) ? "." : base);
  else archive.entry(handle, base);
  archive.end();
}

/** Writes what is in a directory, without an entry for itself. */
export function packContent(root: number, output: FrameOutput, idMap: IdMap | undefined): void {
  const archive = new ContainerArchive(output, idMap);
  using directory = ConfinedDirectory.fromDescriptor(new PathHandle(root).reopen(O_RDONLY | O_DIRECTORY));
  archive.content(directory, "");
  archive.end();
}

/** The headers are those of Docker's daemon: whole seconds, no names of users. Sockets are left out, as there. */
class ContainerArchive {
  readonly #output: FrameOutput;
  readonly #idMap: IdMap | undefined;
  /** First path of each file with several names, by device and inode. */
  readonly #linked = new Map<string, string>();

  constructor(output: FrameOutput, idMap: IdMap | undefined) {
    this.#output = output;
    this.#idMap = idMap;
  }

  directory(handle: PathHandle, path: string): void {
    using directory = ConfinedDirectory.fromDescriptor(handle.reopen(O_RDONLY | O_DIRECTORY));
    this.#head(handle, { ...this.#headOf(handle.stat(), `${path}/`), type: "directory" });
    this.content(directory, path === "" ? "/" : `${path}/`);
  }

  /** @param prefix  of the names; ends in a slash unless it is empty */
  content(directory: ConfinedDirectory, prefix: string): void {
    for (const name of directory.names()) {
      using handle = heldEntry(directory, name);
      if (!handle) continue;
      if (handle.stat().isDirectory()) this.directory(handle, `${prefix}${name}`);
      else this.entry(handle, `${prefix}${name}`);
    }
  }

  /** Anything but a directory. */
  entry(handle: PathHandle, path: string): void {
    const stat = handle.stat();
    if (stat.isSocket()) return;
    const head = this.#headOf(stat, path);
    const key = `${stat.dev}:${stat.ino}`;
    const first = stat.nlink > 1n ? this.#linked.get(key) : undefined;
    if (first !== undefined) return this.#output.data(encodeHead({ ...head, type: "hardlink", link: first }));
    if (stat.nlink > 1n) this.#linked.set(key, path);
    if (stat.isSymbolicLink()) this.#output.data(encodeHead({ ...head, type: "symlink", link: handle.readLink() }));
    else if (stat.isFile()) this.#file(handle, head, Number(stat.size));
    else this.#node(head, stat);
  }

  end(): void {
    this.#output.data(endOfArchive);
  }

  #node(head: TarEntryHead, stat: BigIntStats): void {
    const { major, minor } = deviceOf(stat);
    const type = stat.isFIFO() ? "fifo" : stat.isBlockDevice() ? "block" : "character";
    this.#output.data(encodeHead({ ...head, type, deviceMajor: major, deviceMinor: minor }));
  }

  /** A file that shrinks meanwhile is filled with zeros, so that the archive stays whole. */
  #file(handle: PathHandle, head: TarEntryHead, sizeBytes: number): void {
    const file = sizeBytes === 0 ? undefined : openFile(handle);
    try {
      this.#head(handle, { ...head, sizeBytes });
      for (let done = 0; done < sizeBytes;) {
        const space = this.#output.space().subarray(0, sizeBytes - done);
        const length = file === undefined ? 0 : readSync(file, space, 0, space.length, done);
        const taken = length > 0 ? length : space.fill(0).length;
        this.#output.take(taken);
        done += taken;
      }
      this.#output.data(Buffer.alloc(paddingBytes(sizeBytes)));
    } finally {
      if (file !== undefined) closeSync(file);
    }
  }

  /** With the ids that the container sees. */
  #headOf(stat: BigIntStats, path: string): TarEntryHead {
    const head = headInSeconds(stat, path);
    if (!this.#idMap) return head;
    return { ...head, uid: toContainerId(this.#idMap.uids, head.uid), gid: toContainerId(this.#idMap.gids, head.gid) };
  }

  /** The one attribute that Docker's archives carry: others are refused by many file systems at the other end. */
  #head(handle: PathHandle, head: TarEntryHead): void {
    const value = handle.xattr(capabilityXattr);
    const xattrs = value && new Map([[capabilityXattr, capabilitiesInside(value, this.#idMap)]]);
    this.#output.data(encodeHead(xattrs ? { ...head, xattrs } : head));
  }
}

/** Undefined when it was removed since the names were read. */
function heldEntry(directory: ConfinedDirectory, name: string): PathHandle | undefined {
  try {
    return PathHandle.openEntry(directory.descriptor, name);
  } catch (error) {
    if (error instanceof SystemError && error.code === "ENOENT") return undefined;
    throw error;
  }
}

/** It is known to be a regular file. Looking at it leaves no trace where that can be had. */
function openFile(handle: PathHandle): number {
  try {
    return handle.reopen(O_RDONLY | O_NOATIME);
  } catch {
    return handle.reopen(O_RDONLY); // a file system without it
  }
}
