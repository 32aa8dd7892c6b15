import { closeSync, constants, ftruncateSync, writeSync } from "node:fs";
import { posix } from "node:path";
import { EngineError } from "#lib/errors.ts";
import { toHostId } from "#lib/id-map.ts";
import type { TarEntry, TarHandler, TarTime } from "#lib/tar/entry.ts";
import { splitPath } from "#lib/tar/path.ts";
import { SparseWriter } from "#lib/tar/sparse-writer.ts";
import { ConfinedDirectory } from "#os/confined.ts";
import { SystemError } from "#os/libc.ts";
import { PathHandle } from "#os/path-handle.ts";
import type { IdMap } from "#types/record/id-map.ts";
import { capabilitiesOutside, capabilityXattr } from "../snapshot/file-capabilities.ts";
import { encodeDevice, fileType } from "../snapshot/file-mode.ts";
import { keepXattrs } from "../snapshot/xattr-names.ts";
import { holdPath, openPath } from "./path.ts";

const { O_DIRECTORY, O_RDONLY } = constants;
/** Somebody in the container may put something in a place that was just made free. */
const attempts = 10;

export interface ExtractOptions {
  readonly keepKinds: boolean;
  readonly owner?: { readonly uid: number; readonly gid: number };
  /** Of the container's user namespace: what the archive says are ids in there. */
  readonly idMap?: IdMap | undefined;
}

/**
 * Unpacks an archive below a directory of a container, as a process confined to the container would: links of the container and of the archive
 * are followed inside it, and each object is made, described and replaced through a descriptor of the directory that holds it.
 */
export class Extraction implements TarHandler, Disposable {
  readonly #root: number;
  /** Byte string, absolute, without links when it was looked at. */
  readonly #target: string;
  readonly #options: ExtractOptions;
  /** Times of directories, set at the end: their content changes them. */
  readonly #directories: { readonly path: string; readonly modified: TarTime }[] = [];
  #parent: { readonly path: string; readonly directory: ConfinedDirectory } | undefined;
  #file: { readonly descriptor: number; readonly writer: SparseWriter } | undefined;

  constructor(root: number, target: string, options: ExtractOptions) {
    this.#root = root;
    this.#target = target;
    this.#options = options;
  }

  entry(entry: TarEntry): void {
    const parts = entryPath(entry);
    const name = parts.pop();
    // The directory that is unpacked into is left as it is.
    if (name === undefined) return this.#skip(entry);
    const parent = this.#openParent(parts);
    this.#makeRoom(parent, name, entry);
    if (entry.type !== "file") this.#forgetParentAfter(() => this.#make(parent, name, parts, entry));
    else this.#beginFile(parent, name, entry);
  }

  data(chunk: Uint8Array): void {
    this.#file?.writer.write(chunk);
  }

  end(entry: TarEntry): void {
    const file = this.#file;
    this.#file = undefined;
    if (!file) return;
    try {
      ftruncateSync(file.descriptor, entry.sizeBytes);
      this.#describe(new PathHandle(file.descriptor), entry);
    } finally {
      closeSync(file.descriptor);
    }
  }

  /** All entries have been told. */
  finish(): void {
    this.#closeParent();
    for (const { path, modified } of this.#directories) {
      try {
        using handle = holdPath(this.#root, path);
        if (handle.stat().isDirectory()) handle.setTimes(modified.seconds, modified.nanoseconds);
      } catch (error) {
        if (!(error instanceof SystemError)) throw error; // replaced or removed meanwhile
      }
    }
  }

  [Symbol.dispose](): void {
    this.#closeParent();
    if (this.#file) closeSync(this.#file.descriptor);
  }

  #skip(entry: TarEntry): void {
    if (entry.type !== "directory")
      throw new EngineError("invalid", `invalid tar header: ${JSON.stringify(entry.path)} is no name of a file`);
  }

  #openParent(parts: readonly string[]): ConfinedDirectory {
    const path = [this.#target === "/" ? "" : this.#target, ...parts].join("/") || "/";
    if (this.#parent?.path === path) return this.#parent.directory;
    this.#closeParent();
    const directory = this.#openDirectory(path) ?? this.#makeParents(parts);
    this.#parent = { path, directory };
    return directory;
  }

  #openDirectory(path: string): ConfinedDirectory | undefined {
    try {
      return ConfinedDirectory.fromDescriptor(openPath(this.#root, path, O_RDONLY | O_DIRECTORY));
    } catch (error) {
      if (error instanceof SystemError && error.code === "ENOENT") return undefined;
      throw error;
    }
  }

  /** Directories that the archive only implies. */
  #makeParents(parts: readonly string[]): ConfinedDirectory {
    let path = this.#target === "/" ? "" : this.#target;
    let at = this.#needDirectory(path || "/");
    for (const part of parts) {
      using above = at;
      path = `${path}/${part}`;
      at = this.#openDirectory(path) ?? this.#makeParent(above, part, path);
    }
    return at;
  }

  #makeParent(above: ConfinedDirectory, name: string, path: string): ConfinedDirectory {
    try {
      above.makeDirectory(name);
    } catch (error) {
      // Made by another copy in the same moment; or a link into nowhere stands there.
      const existing = error instanceof SystemError && error.code === "EEXIST" ? this.#openDirectory(path) : undefined;
      if (existing) return existing;
      throw error;
    }
    using handle = PathHandle.openEntry(above.descriptor, name);
    handle.setMode(0o755);
    return this.#needDirectory(path);
  }

  #needDirectory(path: string): ConfinedDirectory {
    return ConfinedDirectory.fromDescriptor(openPath(this.#root, path, O_RDONLY | O_DIRECTORY));
  }

  /** What is there goes, unless both are directories. */
  #makeRoom(parent: ConfinedDirectory, name: string, entry: TarEntry): void {
    const existing = parent.stat(name);
    if (!existing) return;
    const wantsDirectory = entry.type === "directory";
    if (existing.isDirectory() && wantsDirectory) return;
    if (this.#options.keepKinds && existing.isDirectory() !== wantsDirectory) throw otherKind(entry, this.#target, wantsDirectory);
    removeEntry(parent, name);
  }

  #make(parent: ConfinedDirectory, name: string, parts: readonly string[], entry: TarEntry): void {
    switch (entry.type) {
      case "directory":
        if (!parent.stat(name)?.isDirectory()) claim(parent, name, () => parent.makeDirectory(name));
        this.#directories.push({ path: [this.#target, ...parts, name].join("/"), modified: entry.modified });
        break;
      case "symlink":
        claim(parent, name, () => parent.makeSymlink(name, entry.link));
        break;
      case "hardlink":
        return this.#makeLink(parent, name, entry);
      case "fifo":
        claim(parent, name, () => parent.makeNode(name, fileType.fifo | 0o600, 0));
        break;
      case "character":
      case "block": {
        const device = encodeDevice(entry.deviceMajor, entry.deviceMinor);
        claim(parent, name, () => parent.makeNode(name, fileType[entry.type === "block" ? "block" : "character"] | 0o600, device));
        break;
      }
      case "file":
        return;
    }
    using handle = PathHandle.openEntry(parent.descriptor, name);
    if (entry.type === "symlink") this.#describeLink(parent, name, entry);
    else this.#describe(handle, entry);
  }

  /** Its target is a path of the archive, or of what lies in the directory already. */
  #makeLink(parent: ConfinedDirectory, name: string, entry: TarEntry): void {
    const parts = linkPath(entry);
    const base = parts.pop();
    if (base === undefined)
      throw new EngineError("invalid", `invalid hardlink ${JSON.stringify(entry.path)} -> ${JSON.stringify(entry.link)}`);
    const folder = [this.#target === "/" ? "" : this.#target, ...parts].join("/") || "/";
    using holder = this.#needDirectory(folder);
    claim(parent, name, () => parent.makeLink(name, holder, base));
  }

  #beginFile(parent: ConfinedDirectory, name: string, entry: TarEntry): void {
    const descriptor = claim(parent, name, () => parent.createFile(name));
    this.#file = { descriptor, writer: new SparseWriter(descriptor, entry, writeSync) };
  }

  /** Owner before mode: a change of the owner takes the setuid bit away. */
  #describe(handle: PathHandle, entry: TarEntry): void {
    const { uid, gid } = this.#ownerOf(entry);
    handle.setOwner(uid, gid);
    handle.setMode(entry.mode);
    for (const [key, value] of keepXattrs(entry.xattrs, entry.dataOffset) ?? [])
      setXattr(handle, key, key === capabilityXattr ? capabilitiesOutside(value, this.#options.idMap) : value);
    if (entry.type !== "directory") handle.setTimes(entry.modified.seconds, entry.modified.nanoseconds);
  }

  #describeLink(parent: ConfinedDirectory, name: string, entry: TarEntry): void {
    const { uid, gid } = this.#ownerOf(entry);
    parent.setOwner(name, uid, gid);
    parent.setTimes(name, entry.modified.seconds, entry.modified.nanoseconds);
  }

  /** On the host. @throws {EngineError} `invalid` for one that the container cannot have */
  #ownerOf(entry: TarEntry): { readonly uid: number; readonly gid: number } {
    const { owner = entry, idMap } = this.#options;
    if (!idMap) return owner;
    const [uid, gid] = [toHostId(idMap.uids, owner.uid), toHostId(idMap.gids, owner.gid)];
    if (uid !== undefined && gid !== undefined) return { uid, gid };
    const ids = `${owner.uid}:${owner.gid}`;
    throw new EngineError("invalid", `${JSON.stringify(entry.path)} belongs to ${ids}, which the container's user namespace has not`);
  }

  /** A directory or link that was made or replaced may stand on the path of the parent held. */
  #forgetParentAfter(make: () => void): void {
    try {
      make();
    } finally {
      this.#closeParent();
    }
  }

  #closeParent(): void {
    this.#parent?.directory[Symbol.dispose]();
    this.#parent = undefined;
  }
}

/** @throws {EngineError} `invalid` for a path that leaves the directory */
function entryPath(entry: TarEntry): string[] {
  const clean = posix.normalize(entry.path.replace(/^\/+/, ""));
  if (clean === ".." || clean.startsWith("../"))
    throw new EngineError("invalid", `${JSON.stringify(entry.path)} is outside of the directory that is unpacked into`);
  return splitPath(clean, entry.dataOffset);
}

function linkPath(entry: TarEntry): string[] {
  const clean = posix.normalize(entry.link.replace(/^\/+/, ""));
  if (clean === ".." || clean.startsWith("../"))
    throw new EngineError("invalid", `invalid hardlink ${JSON.stringify(entry.path)} -> ${JSON.stringify(entry.link)}`);
  return splitPath(clean, entry.dataOffset);
}

function otherKind(entry: TarEntry, target: string, wantsDirectory: boolean): EngineError {
  const [is, becomes] = wantsDirectory ? ["non-directory", "directory"] : ["directory", "non-directory"];
  const name = posix.normalize(entry.path).replace(/(.)\/$/, "$1");
  return new EngineError("invalid", `cannot overwrite ${is} ${JSON.stringify(name)} with ${becomes} ${JSON.stringify(target)}`);
}

/** Makes something under a name that was free a moment ago. */
function claim<T>(parent: ConfinedDirectory, name: string, make: () => T): T {
  for (let attempt = 1; ; attempt++) {
    try {
      return make();
    } catch (error) {
      if (!(error instanceof SystemError && error.code === "EEXIST") || attempt === attempts) throw error;
      removeEntry(parent, name);
    }
  }
}

function removeEntry(parent: ConfinedDirectory, name: string): void {
  using directory = parent.open(name);
  if (directory) {
    for (const child of directory.names()) removeEntry(directory, child);
    parent.removeDirectory(name);
    return;
  }
  try {
    parent.removeFile(name);
  } catch (error) {
    if (!(error instanceof SystemError && error.code === "ENOENT")) throw error;
  }
}

/** A file system may know no attributes; the content counts more. */
function setXattr(handle: PathHandle, key: string, value: Buffer): void {
  try {
    handle.setXattr(key, value);
  } catch (error) {
    if (!(error instanceof SystemError && error.code === "ENOTSUP")) throw error;
  }
}
