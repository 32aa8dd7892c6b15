import { TarError } from "#lib/tar/error.ts";
import type { TarEntry, TarEntryType, TarHandler } from "#lib/tar/entry.ts";
import { splitPath } from "#lib/tar/path.ts";
import { encodeDevice, fileType } from "./file-mode.ts";
import { impliedDirectory, isOpaque, isSymlink, isWhiteoutNode, makeNode, type DirectoryMetadata, type LayerNode } from "./layer-node.ts";
import { aufsPrefix, opaqueValue, opaqueWhiteout, opaqueXattr, whiteoutPrefix } from "./overlay-marks.ts";
import { keepXattrs } from "./xattr-names.ts";

/** Bounds of what one layer may keep in memory: the largest known layers have about a million entries. */
const maximumEntries = 2_000_000;
const maximumTextBytes = 256 << 20; // names, targets and attributes together
const maximumDepth = 2048;
const maximumSymlinks = 40; // as the kernel's own look-up

const typeBits: Readonly<Record<Exclude<TarEntryType, "hardlink">, number>> = {
  file: fileType.file,
  symlink: fileType.symlink,
  character: fileType.character,
  block: fileType.block,
  directory: fileType.directory,
  fifo: fileType.fifo,
};

/** Answers what a directory is like in the layers below; undefined when it is not there. The path has no leading slash. */
export type LowerLookup = (path: string) => DirectoryMetadata | undefined;

/**
 * What a layer's archive means, as a tree: later entries replace earlier ones, hard links share a node, whiteouts are kept apart until
 * {@link settle}. Nothing on disk is touched, so no name of a hostile archive ever meets a real path: index writer and unpacker walk the tree.
 * Source: OCI image-spec, layer.md.
 */
export class LayerTree implements TarHandler {
  #root = impliedDirectory();
  /** Files below AUFS' `.wh..wh.plnk`: only targets of hard links. */
  readonly #aufsLinks = new Map<string, LayerNode>();
  #entries = 0;
  #textBytes = 0;
  #hasSparseFile = false;

  get root(): LayerNode {
    return this.#root;
  }

  /** Entries of the archive. */
  get entries(): number {
    return this.#entries;
  }

  /** Sparse files cannot be mapped from the tar: such a layer is unpacked. */
  get hasSparseFile(): boolean {
    return this.#hasSparseFile;
  }

  /** @throws {TarError} when the entry cannot be part of a layer, or the layer is too large to keep */
  entry(entry: TarEntry): void {
    const at = entry.dataOffset;
    this.#entries++;
    this.#textBytes += entry.path.length + entry.link.length + xattrBytes(entry);
    if (this.#entries > maximumEntries) throw new TarError("layer has more than 2,000,000 entries", at);
    if (this.#textBytes > maximumTextBytes) throw new TarError("names and attributes of the layer are larger than 256 MiB", at);
    if (entry.segments) this.#hasSparseFile = true;
    const parts = splitPath(entry.path, at);
    if (parts.length === 0) this.#replaceRoot(entry, at);
    else this.#add(parts, entry, at);
  }

  /** True when {@link settle} needs the layers below: some directory other than the root is implied only, or hides names. */
  needsLowers(): boolean {
    for (const { node, path } of this.#directories()) if (path !== "" && (node.implied || hidesNames(node))) return true;
    return false;
  }

  /** Paths of the directories that are implied only, but for the root; undefined when some directory hides names below, too. */
  impliedOnly(): string[] | undefined {
    const paths: string[] = [];
    for (const { node, path } of this.#directories()) {
      if (path === "") continue;
      if (hidesNames(node)) return undefined;
      if (node.implied) paths.push(path);
    }
    return paths;
  }

  /**
   * Gives implied directories their metadata, and turns whiteouts into overlay's marks. Once, at the end. Where there is nothing below whiteouts
   * are left out: overlayfs filters them in merged directories alone, and lists names there that cannot be looked up.
   */
  settle(lookup: LowerLookup): void {
    for (const { node, path, isCut } of this.#directories()) {
      const isRoot = path === "";
      const lower = !isRoot && (node.implied || hidesNames(node)) ? lookup(path) : undefined;
      if (node.implied) describe(node, lower);
      const isMerged = isRoot || (lower !== undefined && !isCut);
      if (isMerged) for (const name of node.whiteouts ?? []) hide(node, name);
      else hideNothing(node);
    }
  }

  #replaceRoot(entry: TarEntry, at: number): void {
    if (entry.type !== "directory") throw new TarError("the root of a layer must be a directory", at);
    this.#root = withContentOf(this.#node(entry, at), this.#root);
  }

  #add(parts: readonly string[], entry: TarEntry, at: number): void {
    const name = parts.at(-1) ?? "";
    if (name !== opaqueWhiteout && parts.some((part) => part.startsWith(aufsPrefix))) return this.#addAufs(parts, entry, at);
    const parent = this.#directory(parts.slice(0, -1), at);
    if (name === opaqueWhiteout) return markOpaque(parent);
    if (name.startsWith(whiteoutPrefix)) return addWhiteout(parent, name.slice(whiteoutPrefix.length), at);
    let node = entry.type === "hardlink" ? this.#linkTarget(entry, at) : this.#node(entry, at);
    const before = parent.children?.get(name);
    if (before?.children && node.children) node = withContentOf(node, before);
    parent.children?.set(name, node);
  }

  /** AUFS' own files are no content, but hard links may point at them. */
  #addAufs(parts: readonly string[], entry: TarEntry, at: number): void {
    if (entry.type !== "hardlink" && entry.type !== "directory") this.#aufsLinks.set(parts.join("/"), this.#node(entry, at));
  }

  #linkTarget(entry: TarEntry, at: number): LayerNode {
    const parts = splitPath(entry.link, at);
    const node = this.#aufsLinks.get(parts.join("/")) ?? this.#find(parts, at);
    if (!node) throw new TarError(`hard link to a missing file ${JSON.stringify(entry.link)}`, at);
    if (node.children) throw new TarError(`hard link to a directory ${JSON.stringify(entry.link)}`, at);
    return node;
  }

  #find(parts: readonly string[], at: number): LayerNode | undefined {
    return this.#walk(parts.slice(0, -1), false, at)?.children?.get(parts.at(-1) ?? "");
  }

  #directory(parts: readonly string[], at: number): LayerNode {
    const found = this.#walk(parts, true, at);
    if (!found) throw new TarError(`not a directory: ${JSON.stringify(parts.join("/"))}`, at);
    return found;
  }

  /** Follows symlinks of this layer inside its root, as an extraction confined to it would; makes what is missing when asked. */
  #walk(parts: readonly string[], create: boolean, at: number): LayerNode | undefined {
    const pending = parts.toReversed();
    const stack = [this.#root];
    let symlinks = 0;
    for (let name = pending.pop(); name !== undefined; name = pending.pop()) {
      if (name === "..") {
        if (stack.length > 1) stack.pop();
        continue;
      }
      const children = stack.at(-1)?.children;
      let next = children?.get(name);
      if (next && isSymlink(next)) {
        if (++symlinks > maximumSymlinks) throw new TarError("too many levels of symbolic links", at);
        if (next.target.startsWith("/")) stack.length = 1;
        pending.push(...symlinkParts(next.target, at).reverse());
        continue;
      }
      if (!next && create) {
        next = impliedDirectory();
        this.#textBytes += name.length;
        children?.set(name, next);
      }
      if (!next?.children) return undefined;
      if (stack.length > maximumDepth) throw new TarError("tree is too deep", at);
      stack.push(next);
    }
    return stack.at(-1);
  }

  #node(entry: TarEntry, at: number): LayerNode {
    if (entry.type === "hardlink") throw new TarError("unexpected hard link", at);
    if (entry.type === "symlink") checkSymlink(entry.link, at);
    return makeNode(typeBits[entry.type] | (entry.type === "symlink" ? 0o777 : entry.mode), {
      uid: entry.uid,
      gid: entry.gid,
      seconds: entry.modified.seconds,
      nanoseconds: entry.modified.nanoseconds,
      sizeBytes: entry.sizeBytes,
      dataOffset: entry.dataOffset,
      segments: entry.segments,
      target: entry.type === "symlink" ? entry.link : "",
      device: encodeDevice(entry.deviceMajor, entry.deviceMinor),
      xattrs: keepXattrs(entry.xattrs, at),
    });
  }

  /** Parents before children; a child may be replaced while its parent is looked at. `isCut`: nothing of the layers below is seen there. */
  *#directories(): Generator<{ node: LayerNode; path: string; isCut: boolean }> {
    const pending = [{ node: this.#root, path: "", isCut: false }];
    for (let next = pending.pop(); next; next = pending.pop()) {
      const here = { ...next, isCut: next.isCut || (next.path !== "" && isOpaque(next.node)) }; // the kernel merges roots whatever they say
      yield here;
      for (const [name, node] of next.node.children ?? [])
        if (node.children) pending.push({ node, path: next.path === "" ? name : `${next.path}/${name}`, isCut: here.isCut });
    }
  }
}

function xattrBytes(entry: TarEntry): number {
  let sum = 0;
  for (const [name, value] of entry.xattrs) sum += name.length + value.length;
  return sum;
}

function checkSymlink(target: string, at: number): void {
  if (target === "" || target.length > 4095 || target.includes("\0")) throw new TarError("bad symlink target", at);
}

function symlinkParts(target: string, at: number): string[] {
  const parts = target.split("/").filter((part) => part !== "" && part !== ".");
  if (parts.some((part) => part.length > 255)) throw new TarError("name is longer than 255 bytes", at);
  return parts;
}

/** A directory described again: its new metadata, its old content. */
function withContentOf(node: LayerNode, before: LayerNode): LayerNode {
  node.children = before.children;
  node.whiteouts = before.whiteouts;
  if (isOpaque(before)) markOpaque(node);
  return node;
}

function markOpaque(node: LayerNode): void {
  (node.xattrs ??= new Map()).set(opaqueXattr, opaqueValue);
}

function addWhiteout(parent: LayerNode, name: string, at: number): void {
  if (name === "" || name === "." || name === "..") throw new TarError("whiteout without a name", at);
  (parent.whiteouts ??= new Set()).add(name);
}

function hidesNames({ whiteouts, children }: LayerNode): boolean {
  return (whiteouts?.size ?? 0) > 0 || (children?.values().some(isWhiteoutNode) ?? false);
}

function hideNothing({ children }: LayerNode): void {
  for (const [name, child] of children ?? []) if (isWhiteoutNode(child)) children?.delete(name);
}

/** A directory of the same layer then hides what is below it; any other file of the same layer wins over the whiteout. */
function hide(parent: LayerNode, name: string): void {
  const existing = parent.children?.get(name);
  if (!existing) parent.children?.set(name, makeNode(fileType.character));
  else if (existing.children) markOpaque(existing);
}

function describe(node: LayerNode, metadata: DirectoryMetadata | undefined): void {
  if (!metadata) return;
  node.mode = fileType.directory | (metadata.mode & 0o7777);
  node.uid = metadata.uid;
  node.gid = metadata.gid;
  node.seconds = metadata.seconds;
  node.nanoseconds = metadata.nanoseconds;
  for (const [name, value] of metadata.xattrs) (node.xattrs ??= new Map()).set(name, value);
}
