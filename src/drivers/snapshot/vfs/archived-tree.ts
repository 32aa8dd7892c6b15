import { closeSync, constants, openSync } from "node:fs";
import { readTree } from "../build.ts";
import { isOpaque, isWhiteoutNode, makeNode, type DirectoryMetadata, type LayerNode } from "../layer-node.ts";
import { fileType } from "../file-mode.ts";
import { keepXattrs } from "../xattr-names.ts";

/** What several layers show together, told by their archives alone. */
export class ArchivedTree implements Disposable {
  #root = makeNode(fileType.directory | 0o755);
  readonly #archives: number[] = [];
  readonly #archiveOf = new Map<LayerNode, number>();

  /** @param tars  stored archives, the lowest layer first. @throws {TarError} for a damaged one */
  constructor(tars: readonly string[]) {
    try {
      for (const tar of tars) this.#add(tar);
    } catch (error) {
      this[Symbol.dispose]();
      throw error;
    }
  }

  get root(): LayerNode {
    return this.#root;
  }

  /** Descriptor of the archive with a file's data. */
  archiveOf(node: LayerNode): number {
    return this.#archiveOf.get(node) ?? -1;
  }

  [Symbol.dispose](): void {
    for (const archive of this.#archives.splice(0)) closeSync(archive);
  }

  #add(path: string): void {
    const tree = readTree(path);
    tree.settle((directory) => this.#describe(directory));
    const archive = openSync(path, constants.O_RDONLY);
    this.#archives.push(archive);
    for (const node of leaves(tree.root)) this.#archiveOf.set(node, archive);
    this.#root = merge(this.#root, tree.root);
  }

  #describe(path: string): DirectoryMetadata | undefined {
    let node: LayerNode | undefined = this.#root;
    for (const name of path.split("/")) node = node?.children?.get(name);
    // Marks of overlayfs are each layer's own.
    return node?.children && { ...node, mode: node.mode & 0o7777, xattrs: keepXattrs(node.xattrs ?? new Map(), 0) ?? new Map() };
  }
}

/** The upper directory with what it does not hide of the lower one. */
function merge(lower: LayerNode, upper: LayerNode): LayerNode {
  const children = new Map(lower.children);
  for (const [name, child] of upper.children ?? []) {
    const below = children.get(name);
    if (isWhiteoutNode(child)) children.delete(name);
    else children.set(name, child.children && below?.children && !isOpaque(child) ? merge(below, child) : child);
  }
  return { ...upper, children };
}

function* leaves(node: LayerNode): Generator<LayerNode> {
  for (const child of node.children?.values() ?? []) {
    if (child.children) yield* leaves(child);
    else yield child;
  }
}
