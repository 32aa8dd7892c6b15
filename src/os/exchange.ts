import { systemCall } from "./libc.ts";

// Source: linux/unistd.h, linux/fs.h, renameat2(2).
const SYS_renameat2 = process.arch === "x64" ? 316 : 276;
const RENAME_EXCHANGE = 2;
const AT_FDCWD = -100;

/** Two paths of one file system change places: at every moment both are there. @throws {SystemError} ENOENT when one is not */
export function exchangePaths(one: string, other: string): void {
  systemCall(`exchange ${one} and ${other}`, SYS_renameat2, AT_FDCWD, one, AT_FDCWD, other, RENAME_EXCHANGE);
}
