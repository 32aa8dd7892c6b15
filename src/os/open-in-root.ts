import { closeSync, constants, fstatSync, readSync } from "node:fs";
import { constants as system } from "node:os";
import { check, cString, lastErrno, libc, systemCall, SystemError } from "./libc.ts";

const { EEXIST } = system.errno;

const SYS_openat2 = 437;
const RESOLVE_NO_MAGICLINKS = 0x02;
const RESOLVE_BENEATH = 0x08;
const RESOLVE_IN_ROOT = 0x10;
const O_PATH = 0o10000000;
const O_CLOEXEC = 0o2000000;
const AT_SYMLINK_NOFOLLOW = 0x100;
/** Under an attack by renames a look-up with `..` may fail often; each try takes microseconds. */
const retries = 10_000;

/** Opens a folder as the root of look-ups. The caller closes it. */
export function openRoot(folder: string): number {
  return systemCall(`open root ${folder}`, SYS_openat2, -100, folder, openHow(O_PATH | constants.O_DIRECTORY, 0, 0), 24);
}

/**
 * Opens a path (a text, or its bytes) as a process confined to `root` would: links and `..` never leave it. Source: openat2(2), RESOLVE_IN_ROOT.
 * @throws {SystemError}
 */
export function openInRoot(root: number, path: string | Buffer, flags: number, mode = 0): number {
  return openConfined(root, path, openHow(flags, mode, RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS));
}

/**
 * Opens a path that must lie below `root`: `EXDEV` when a link or `..` leads out of it, an absolute link always. Source: openat2(2), RESOLVE_BENEATH.
 * @throws {SystemError}
 */
export function openBeneath(root: number, path: string, flags: number): number {
  return openConfined(root, path, openHow(flags, 0, RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS));
}

function openConfined(root: number, path: string | Buffer, how: Buffer): number {
  const name = typeof path === "string" ? path : cString(path);
  for (let attempt = 0; ; attempt++) {
    try {
      return systemCall(`open ${path.toString()}`, SYS_openat2, root, name, how, 24);
    } catch (error) {
      // A rename elsewhere raced with a `..` of the path.
      if (attempt < retries && error instanceof SystemError && error.code === "EAGAIN") continue;
      throw error;
    }
  }
}

/**
 * Makes a folder and the missing ones above it as a process confined to `root` would; one that is there is left as it is.
 * @param owner  of what is made; this process when absent
 */
export function makeFolderInRoot(root: number, path: string, mode: number, owner?: { readonly uid: number; readonly gid: number }): void {
  let at = "/";
  for (const name of path.split("/").filter((part) => part !== "" && part !== ".")) {
    const parent = openInRoot(root, at, O_PATH | constants.O_DIRECTORY);
    try {
      const made = libc.mkdirat(parent, cString(name), mode);
      if (made < 0 && lastErrno() !== EEXIST) check(made, `make folder ${path}`);
      if (made === 0 && owner)
        check(libc.fchownat(parent, cString(name), owner.uid, owner.gid, AT_SYMLINK_NOFOLLOW), `set owner of ${path}`);
    } finally {
      closeSync(parent);
    }
    at = `${at}${name}/`;
  }
  closeSync(openInRoot(root, path, O_PATH | constants.O_DIRECTORY)); // a file or a link into nowhere is no folder
}

/** The text of a small regular file below `root`; "" when it is missing or something else. Never waits for a fifo or a device. */
export function readTextInRoot(root: number, path: string, limitBytes: number): string {
  let descriptor: number;
  try {
    descriptor = openInRoot(root, path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
  } catch (error) {
    if (error instanceof SystemError) return "";
    throw error;
  }
  try {
    const stat = fstatSync(descriptor);
    if (!stat.isFile()) return "";
    const buffer = Buffer.alloc(Math.min(stat.size, limitBytes));
    return buffer.toString("utf8", 0, readSync(descriptor, buffer, 0, buffer.length, 0));
  } finally {
    closeSync(descriptor);
  }
}

function openHow(flags: number, mode: number, resolve: number): Buffer {
  const how = Buffer.alloc(24);
  how.writeBigUInt64LE(BigInt(flags | O_CLOEXEC), 0);
  how.writeBigUInt64LE(BigInt(mode), 8);
  how.writeBigUInt64LE(BigInt(resolve), 16);
  return how;
}
