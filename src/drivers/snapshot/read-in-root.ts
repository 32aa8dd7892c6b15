import { closeSync } from "node:fs";
import { makeFolderInRoot, openRoot, readTextInRoot } from "#os/open-in-root.ts";

/** Largest /etc/passwd or /etc/group that is looked at. */
const limitBytes = 4 << 20;

/** Texts of small files of a mounted root file system, in the order of `paths`; "" for what is missing or no regular file. */
export function readFromRootfs(rootfs: string, paths: readonly string[]): string[] {
  const root = openRoot(rootfs);
  try {
    return paths.map((path) => readTextInRoot(root, path, limitBytes));
  } finally {
    closeSync(root);
  }
}

/**
 * Makes a folder inside a mounted root file system, with the missing ones above it; links never lead out of it.
 * @param owner  of what is made, where the container's root is not the host's
 */
export function makeInRootfs(rootfs: string, path: string, owner?: { readonly uid: number; readonly gid: number }): void {
  const root = openRoot(rootfs);
  try {
    makeFolderInRoot(root, path, 0o755, owner);
  } finally {
    closeSync(root);
  }
}
