import { CString, dlopen, read, type Pointer } from "bun:ffi";
import { constants } from "node:os";

/**
 * The one table of C functions. Every call blocks the thread it is made on: what may wait (umount, link deletion, trees) belongs on the
 * kernel worker. Buffers are handed over themselves, never their addresses: an address does not keep its buffer, and the collector has
 * freed such buffers before the call was made.
 */
const library = dlopen("libc.so.6", {
  open: { args: ["ptr", "i32", "i32"], returns: "i32" },
  close: { args: ["i32"], returns: "i32" },
  read: { args: ["i32", "ptr", "u64"], returns: "i64" },
  write: { args: ["i32", "ptr", "u64"], returns: "i64" },
  pipe2: { args: ["ptr", "i32"], returns: "i32" },
  fcntl: { args: ["i32", "i32", "i64"], returns: "i32" },
  ioctl: { args: ["i32", "u64", "ptr"], returns: "i32" },
  poll: { args: ["ptr", "u64", "i32"], returns: "i32" },
  syncfs: { args: ["i32"], returns: "i32" },
  inotify_init1: { args: ["i32"], returns: "i32" },
  inotify_add_watch: { args: ["i32", "ptr", "u32"], returns: "i32" },
  inotify_rm_watch: { args: ["i32", "i32"], returns: "i32" },
  flock: { args: ["i32", "i32"], returns: "i32" },
  posix_fadvise: { args: ["i32", "i64", "i64", "i32"], returns: "i32" },
  fallocate: { args: ["i32", "i32", "i64", "i64"], returns: "i32" },
  rmdir: { args: ["ptr"], returns: "i32" },
  setns: { args: ["i32", "i32"], returns: "i32" },
  unshare: { args: ["i32"], returns: "i32" },
  mount: { args: ["ptr", "ptr", "ptr", "u64", "ptr"], returns: "i32" },
  umount2: { args: ["ptr", "i32"], returns: "i32" },
  madvise: { args: ["u64", "u64", "i32"], returns: "i32" },
  socket: { args: ["i32", "i32", "i32"], returns: "i32" },
  bind: { args: ["i32", "ptr", "u32"], returns: "i32" },
  listen: { args: ["i32", "i32"], returns: "i32" },
  connect: { args: ["i32", "ptr", "u32"], returns: "i32" },
  setsockopt: { args: ["i32", "i32", "i32", "ptr", "u32"], returns: "i32" },
  getsockopt: { args: ["i32", "i32", "i32", "ptr", "ptr"], returns: "i32" },
  getsockname: { args: ["i32", "ptr", "ptr"], returns: "i32" },
  shutdown: { args: ["i32", "i32"], returns: "i32" },
  send: { args: ["i32", "ptr", "u64", "i32"], returns: "i64" },
  sendto: { args: ["i32", "ptr", "u64", "i32", "ptr", "u32"], returns: "i64" },
  recv: { args: ["i32", "ptr", "u64", "i32"], returns: "i64" },
  kill: { args: ["i32", "i32"], returns: "i32" },
  waitpid: { args: ["i32", "ptr", "i32"], returns: "i32" },
  clone: { args: ["ptr", "ptr", "i32", "ptr", "ptr", "ptr", "ptr"], returns: "i32" },
  mmap: { args: ["ptr", "u64", "i32", "i32", "i32", "i64"], returns: "i64" },
  mprotect: { args: ["ptr", "u64", "i32"], returns: "i32" },
  setfsuid: { args: ["u32"], returns: "i32" },
  setfsgid: { args: ["u32"], returns: "i32" },
  capget: { args: ["ptr", "ptr"], returns: "i32" },
  capset: { args: ["ptr", "ptr"], returns: "i32" },
  prctl: { args: ["i32", "u64", "u64", "u64", "u64"], returns: "i32" },
  statfs: { args: ["ptr", "ptr"], returns: "i32" },
  openat: { args: ["i32", "ptr", "i32", "i32"], returns: "i32" },
  mkdirat: { args: ["i32", "ptr", "u32"], returns: "i32" },
  mknodat: { args: ["i32", "ptr", "u32", "u64"], returns: "i32" },
  symlinkat: { args: ["ptr", "i32", "ptr"], returns: "i32" },
  linkat: { args: ["i32", "ptr", "i32", "ptr", "i32"], returns: "i32" },
  unlinkat: { args: ["i32", "ptr", "i32"], returns: "i32" },
  fchownat: { args: ["i32", "ptr", "u32", "u32", "i32"], returns: "i32" },
  fchmodat: { args: ["i32", "ptr", "u32", "i32"], returns: "i32" },
  readlinkat: { args: ["i32", "ptr", "ptr", "u64"], returns: "i64" },
  utimensat: { args: ["i32", "ptr", "ptr", "i32"], returns: "i32" },
  getxattr: { args: ["ptr", "ptr", "ptr", "u64"], returns: "i64" },
  setxattr: { args: ["ptr", "ptr", "ptr", "u64", "i32"], returns: "i32" },
  lsetxattr: { args: ["ptr", "ptr", "ptr", "u64", "i32"], returns: "i32" },
  lgetxattr: { args: ["ptr", "ptr", "ptr", "u64"], returns: "i64" },
  llistxattr: { args: ["ptr", "ptr", "u64"], returns: "i64" },
  lremovexattr: { args: ["ptr", "ptr"], returns: "i32" },
  lseek: { args: ["i32", "i64", "i32"], returns: "i64" },
  copy_file_range: { args: ["i32", "ptr", "i32", "ptr", "u64", "u32"], returns: "i64" },
  tcgetattr: { args: ["i32", "ptr"], returns: "i32" },
  tcsetattr: { args: ["i32", "i32", "ptr"], returns: "i32" },
  cfmakeraw: { args: ["ptr"], returns: "void" },
  isatty: { args: ["i32"], returns: "i32" },
  // Words as "ptr": that takes numbers and buffers alike.
  syscall: { args: ["i64", "ptr", "ptr", "ptr", "ptr", "ptr", "ptr"], returns: "i64" },
  strerror: { args: ["i32"], returns: "ptr" },
  __errno_location: { args: [], returns: "ptr" },
});

export const libc = library.symbols;

/** Of two names of one number the one that Node uses too: EAGAIN and ENOTSUP, not EWOULDBLOCK and EOPNOTSUPP. */
const errnoNames = new Map<number, string>(
  Object.entries(constants.errno)
    .toReversed()
    .map(([name, number]) => [number, name]),
);

/** A failed system call: `code` is the errno's name, as in Node's errors. */
export class SystemError extends Error {
  override readonly name = "SystemError";
  readonly code: string;
  readonly errno: number;
  constructor(what: string, errno: number) {
    const pointer = libc.strerror(errno);
    const text = pointer ? new CString(pointer).toLowerCase() : "unknown error";
    super(`${what}: ${text}`);
    this.errno = errno;
    this.code = errnoNames.get(errno) ?? `E${errno}`;
  }
}

/** errno of the last call on this thread; read it straight after the call. */
export function lastErrno(): number {
  const location = libc.__errno_location();
  return location ? read.i32(location, 0) : 0;
}

/** The call's result as a number. @throws {SystemError} when it is negative */
export function check(result: number | bigint, what: string): number {
  const value = Number(result);
  if (value < 0) throw new SystemError(what, lastErrno());
  return value;
}

/** A C string. @throws {SystemError} EINVAL when the text has a NUL in it */
export function cString(text: string | Buffer): Buffer {
  if (typeof text !== "string") return Buffer.concat([text, Buffer.of(0)]);
  if (text.includes("\0")) throw new SystemError(`path ${JSON.stringify(text)}`, constants.errno.EINVAL);
  return Buffer.from(`${text}\0`);
}

/** syscall(2): for calls that this libc has no function for. Strings and buffers are passed by address. @throws {SystemError} */
export function systemCall(what: string, number: number, ...parameters: (number | string | Buffer | null)[]): number {
  const [a, b, c, d, e, f] = parameters.map((value) => (typeof value === "string" ? cString(value) : value));
  return check(plainSystemCall(number, a, b, c, d, e, f), what);
}

type Word = number | Buffer | null;

/** The same without anything around the call: the result is negative on an error, see {@link lastErrno}. */
export function plainSystemCall(number: number, a: Word = 0, b: Word = 0, c: Word = 0, d: Word = 0, e: Word = 0, f: Word = 0): number {
  const word = (value: Word): Pointer => value as Pointer;
  return Number(libc.syscall(number, word(a), word(b), word(c), word(d), word(e), word(f)));
}
