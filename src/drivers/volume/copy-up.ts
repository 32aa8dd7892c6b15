import { closeSync, constants } from "node:fs";
import { ConfinedDirectory } from "#os/confined.ts";
import { openInRoot, openRoot } from "#os/open-in-root.ts";
import { copyTree } from "./copy-tree.ts";

/** Copies a folder of a root file system into an empty volume. The folder is looked up inside the root file system. For a helper process. */
export function copyUp({ rootfs, path, target }: { readonly rootfs: string; readonly path: string; readonly target: string }): null {
  const root = openRoot(rootfs);
  try {
    using from = ConfinedDirectory.fromDescriptor(openInRoot(root, path, constants.O_RDONLY | constants.O_DIRECTORY));
    using to = ConfinedDirectory.openPath(target);
    copyTree(from, to);
    return null;
  } finally {
    closeSync(root);
  }
}

/** True when the root file system has a folder at `path`, links followed inside it. */
export function hasFolder(rootfs: string, path: string): boolean {
  const root = openRoot(rootfs);
  try {
    closeSync(openInRoot(root, path, constants.O_RDONLY | constants.O_DIRECTORY));
    return true;
  } catch {
    return false; // missing, or no folder
  } finally {
    closeSync(root);
  }
}
