import { closeSync, fstatSync, mkdirSync, rmdirSync, unlinkSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { systemCall } from "./libc.ts";
import { moveMount, unmount } from "./mount.ts";
import { openBeneath, openRoot } from "./open-in-root.ts";

// Source: open_tree(2), linux/mount.h.
const SYS_open_tree = 428;
const AT_EMPTY_PATH = 0x1000;
const AT_RECURSIVE = 0x8000;
const OPEN_TREE_CLONE = 1;
const OPEN_TREE_CLOEXEC = 0o2000000;
const O_PATH = 0o10000000;

/**
 * Attaches a folder or file below `root` at `target`, which is made. What the look-up has found is what is attached: a link that is put in its
 * place afterwards changes nothing.
 * @throws {SystemError} `EXDEV` when a link leads out of `root`, `ENOENT` and others of the look-up
 */
export function attachSubpath(root: string, path: string, target: string): void {
  const opened = openRoot(root);
  let found = -1;
  let tree = -1;
  try {
    found = openBeneath(opened, path, O_PATH);
    const flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH | AT_RECURSIVE;
    tree = systemCall(`clone mount of ${path}`, SYS_open_tree, found, "", flags);
    mkdirSync(dirname(target), { recursive: true, mode: 0o700 });
    if (fstatSync(found).isDirectory()) mkdirSync(target, { mode: 0o700 });
    else writeFileSync(target, "", { flag: "wx", mode: 0o600 });
    moveMount(tree, target);
  } finally {
    for (const descriptor of [opened, found, tree]) if (descriptor >= 0) closeSync(descriptor);
  }
}

/** Takes away what is mounted at `target`, and the empty folder or file that it was mounted on. Nothing else is ever removed. */
export function detach(target: string): void {
  unmount(target);
  try {
    rmdirSync(target);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOTDIR") unlinkSync(target);
    else if (code !== "ENOENT") throw error;
  }
}
