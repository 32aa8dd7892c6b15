import { closeSync, mkdirSync, openSync } from "node:fs";
import { constants as system } from "node:os";
import { check, cString, lastErrno, libc, plainSystemCall, systemCall, SystemError } from "./libc.ts";
import { moveMount } from "./mount.ts";
import { openProcess } from "./process/identity.ts";

// Source: linux/mount.h, open_tree(2), move_mount(2), mount_setattr(2), setns(2).
const SYS_open_tree = 428;
const SYS_move_mount = 429;
const SYS_mount_setattr = 442;
const { ESRCH } = system.errno;
const AT_FDCWD = -100;
const AT_EMPTY_PATH = 0x1000;
const AT_RECURSIVE = 0x8000;
const OPEN_TREE_CLONE = 1;
const OPEN_TREE_CLOEXEC = 0o2000000;
const MOVE_MOUNT_F_EMPTY_PATH = 0x04;
const MOVE_MOUNT_T_EMPTY_PATH = 0x40;
const MOUNT_ATTR_RDONLY = 1n;
const CLONE_FS = 0x200;
const CLONE_NEWNS = 0x20000;
const attempts = 10;

/** A private copy of the mount at `path`, attached nowhere: it is gone when the descriptor is closed, also by a kill. */
export function cloneMount(path: string, options: { readonly recursive: boolean }): number {
  const flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | (options.recursive ? AT_RECURSIVE : 0);
  return systemCall(`clone mount ${path}`, SYS_open_tree, AT_FDCWD, path, flags);
}

/** Puts a detached mount on a file or folder of another detached tree. The descriptors stay the caller's. */
export function attachMount(mount: number, onto: number, what: string): void {
  systemCall(`mount ${what}`, SYS_move_mount, mount, "", onto, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH);
}

export function makeMountReadOnly(mount: number, options: { readonly recursive: boolean }): void {
  const attributes = Buffer.alloc(32);
  attributes.writeBigUInt64LE(MOUNT_ATTR_RDONLY, 0);
  const flags = AT_EMPTY_PATH | (options.recursive ? AT_RECURSIVE : 0);
  systemCall("make mount read-only", SYS_mount_setattr, mount, "", flags, attributes, attributes.length);
}

/**
 * A private copy of a mount that only the namespace of a process has, such as a tmpfs. This thread stands in that namespace for the one call:
 * nothing is loaded or looked up there but `path`. For helper processes. Undefined when the process has ended.
 */
export function cloneMountOfProcess(process: { readonly pid: number; readonly startTicks: number }, path: string): number | undefined {
  const handle = openProcess(process.pid, process.startTicks);
  if (handle === undefined) return undefined;
  const own = openSync("/proc/self/ns/mnt", "r");
  try {
    return cloneInNamespace(handle, own, path);
  } finally {
    closeSync(own);
    libc.close(handle);
  }
}

/** Attaches such a mount at a folder that is made. For helper processes. @throws {SystemError} `ESRCH` when the process has ended */
export function attachMountOfProcess(process: { readonly pid: number; readonly startTicks: number }, path: string, target: string): void {
  const clone = cloneMountOfProcess(process, path);
  if (clone === undefined) throw new SystemError(`clone mount ${path} of process ${process.pid}`, ESRCH);
  try {
    mkdirSync(target, { recursive: true, mode: 0o700 });
    moveMount(clone, target);
  } finally {
    closeSync(clone);
  }
}

/** Undefined when the process has ended. The part between the two namespaces is kept bare: the less happens in it, the less likely the JavaScript engine begins a thread there. */
function cloneInNamespace(namespace: number, own: number, path: string): number | undefined {
  const name = cString(path);
  // A thread that shares them may not change its namespace, and one that is just being made shares them.
  let isThere = false;
  for (let attempt = 0; !isThere && attempt < attempts; attempt++) {
    check(libc.unshare(CLONE_FS), "unshare file system attributes");
    isThere = libc.setns(namespace, CLONE_NEWNS) === 0;
  }
  if (!isThere && lastErrno() === ESRCH) return undefined;
  if (!isThere) check(-1, "enter mount namespace");
  const tree = plainSystemCall(SYS_open_tree, AT_FDCWD, name, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
  const errno = tree < 0 ? lastErrno() : 0;
  for (let isBack = libc.setns(own, CLONE_NEWNS) === 0; !isBack; isBack = libc.setns(own, CLONE_NEWNS) === 0) {
    isThreadAstray = true;
    check(libc.unshare(CLONE_FS), "unshare file system attributes");
  }
  if (tree < 0) throw new SystemError(`clone mount ${path}`, errno);
  return tree;
}

let isThreadAstray = false;

/** The engine has begun a thread of its own in a namespace of others, which lives as long as this process: the process should end soon. */
export function hasThreadAstray(): boolean {
  return isThreadAstray;
}
