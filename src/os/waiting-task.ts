import { ptr, toArrayBuffer, type Pointer } from "bun:ffi";
import { check, libc } from "./libc.ts";

// Source: linux/sched.h, clone(2), mmap(2).
const CLONE_VM = 0x100;
const PROT_READ = 1;
const PROT_WRITE = 2;
const PROT_EXEC = 4;
const MAP_PRIVATE_ANONYMOUS = 0x22;
const pageBytes = 4096;
const stackBytes = 65536;
const waitSeconds = 10;

/**
 * `close_range(0, -1, 0); prctl(PR_SET_PDEATHSIG, SIGKILL); nanosleep(parameter, 0); exit(0)`. Nothing of a daemon that is killed may stay:
 * its sockets and locks are let go at once, the task follows its parent, and one whose parent was gone before that ends by itself.
 */
const x64 = Buffer.from(
  [
    ["4989fc"],
    ["b8b4010000", "31ff", "beffffffff", "31d2", "0f05"],
    ["b89d000000", "bf01000000", "be09000000", "0f05"],
    ["b823000000", "4c89e7", "31f6", "0f05"],
    ["b83c000000", "31ff", "0f05"],
  ]
    .flat()
    .join(""),
  "hex",
);
const arm64 = Uint32Array.of(
  ...[0xaa0003f3],
  ...[0xd2803688, 0xd2800000, 0x12800001, 0xd2800002, 0xd4000001],
  ...[0xd28014e8, 0xd2800020, 0xd2800121, 0xd4000001],
  ...[0xd2800ca8, 0xaa1303e0, 0xd2800001, 0xd4000001],
  ...[0xd2800ba8, 0xd2800000, 0xd4000001],
);

interface Task {
  readonly code: Pointer;
  readonly stack: Buffer;
  readonly duration: Buffer;
}

let task: Task | undefined;

/**
 * Starts a task of this memory that does nothing for ten seconds, in the new namespaces of these flags of clone(2): who made it opens them,
 * kills it and waits for it (`__WALL`). No signal tells its end. A process of several threads cannot enter a user namespace itself.
 * @returns its pid
 * @throws {SystemError} `ENOSPC` when the host allows no more of the namespaces
 */
export function startWaitingTask(namespaces: number): number {
  task ??= {
    code: executable(process.arch === "x64" ? x64 : Buffer.from(arm64.buffer)),
    stack: Buffer.alloc(stackBytes),
    duration: duration(),
  };
  const top = Math.floor((ptr(task.stack) + stackBytes - 64) / 16) * 16;
  return check(libc.clone(task.code, top, CLONE_VM | namespaces, task.duration, null, null, null), "make namespaces");
}

function executable(code: Buffer): Pointer {
  const address = check(libc.mmap(null, pageBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE_ANONYMOUS, -1, 0), "map a page") as Pointer;
  new Uint8Array(toArrayBuffer(address, 0, pageBytes)).set(code);
  check(libc.mprotect(address, pageBytes, PROT_READ | PROT_EXEC), "make a page executable");
  return address;
}

/** `struct timespec`. */
function duration(): Buffer {
  return Buffer.from(BigInt64Array.of(BigInt(waitSeconds), 0n).buffer);
}
