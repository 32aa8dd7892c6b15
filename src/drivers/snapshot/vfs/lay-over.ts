import { copyTree } from "../../volume/copy-tree.ts";
import { ConfinedDirectory } from "#os/confined.ts";
import { openOverlayView } from "#os/overlay-view.ts";
import { isOpaque, isWhiteoutNode, type LayerNode } from "../layer-node.ts";
import { overlayXattrPrefix } from "../overlay-marks.ts";
import { describe, Unpacker } from "../unpacked/unpack.ts";
import { keepXattrs } from "../xattr-names.ts";

/**
 * Fills an empty folder with all that the layers show: a copy of those below, and a settled tree carried out on it. Needs nothing of the file
 * system but files: what the tree hides is removed, and no mark of overlayfs is left.
 * @param tar     descriptor of the uncompressed archive
 * @param lowers  folders of the layers below, top first
 */
export function layOver(tree: LayerNode, tar: number, root: ConfinedDirectory, lowers: readonly string[]): void {
  if (lowers.length > 0) {
    using below = ConfinedDirectory.fromDescriptor(openOverlayView(lowers));
    copyTree(below, root);
  }
  new LayerOnFiles(tar, root).directory(tree, root, "");
}

class LayerOnFiles extends Unpacker {
  override directory(node: LayerNode, directory: ConfinedDirectory, path: string): void {
    if (path !== "" && isOpaque(node)) directory.clear(); // the kernel merges roots whatever they say
    removeXattr(directory, defaultAcl); // what is made here would inherit it
    for (const [name, child] of node.children ?? []) this.#entry(child, directory, name, path === "" ? name : `${path}/${name}`);
    describe(directory, ".", ownMetadata(node, directory));
  }

  #entry(node: LayerNode, parent: ConfinedDirectory, name: string, path: string): void {
    const existing = parent.stat(name);
    const isMerged = node.children !== undefined && existing?.isDirectory() === true;
    if (existing && !isMerged) parent.removeAll(name, existing.isDirectory());
    if (isWhiteoutNode(node)) return;
    if (!node.children) return this.leaf(node, parent, name, path);
    using merged = isMerged ? parent.open(name) : undefined;
    if (merged) this.directory(node, merged, path);
    else this.subdirectory(node, parent, name, path);
  }
}

/** Without overlay's marks; what only the directory below had is taken away from the one that stands for both. */
function ownMetadata(node: LayerNode, directory: ConfinedDirectory): LayerNode {
  const own = new Map([...(node.xattrs ?? [])].filter(([key]) => !key.startsWith(overlayXattrPrefix)));
  for (const key of keepXattrs(directory.xattrs("."), 0)?.keys() ?? []) if (!own.has(key)) removeXattr(directory, key);
  return { ...node, xattrs: own };
}

const defaultAcl = "system.posix_acl_default";

/** Success when it is not there. Labels that the host's kernel gives to every file are not to be removed. */
function removeXattr(directory: ConfinedDirectory, key: string): void {
  try {
    directory.removeXattr(".", key);
  } catch (error) {
    const { code = "" } = error as NodeJS.ErrnoException;
    if (!["ENODATA", "ENOTSUP", "EOPNOTSUPP", "EPERM", "EACCES"].includes(code)) throw error;
  }
}
