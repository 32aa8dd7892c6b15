import { closeSync, constants, fstatSync, openSync, type BigIntStats } from "node:fs";
import { constants as system } from "node:os";
import { check, cString, lastErrno, libc, SystemError } from "./libc.ts";

const O_PATH = 0o10000000;
const O_CLOEXEC = 0o2000000;
const AT_FDCWD = -100;
const AT_EMPTY_PATH = 0x1000;
const { ENODATA, ENOTSUP } = system.errno;

/**
 * One file system object, whatever it is, held without being opened: fifos and devices are not touched, and what others rename or replace
 * meanwhile changes nothing of what is meant. Source: open(2), O_PATH.
 */
export class PathHandle implements Disposable {
  readonly descriptor: number;

  /** Takes over a descriptor opened with O_PATH. */
  constructor(descriptor: number) {
    this.descriptor = descriptor;
  }

  /** The entry of an open directory by one name; a link is held itself. @throws {SystemError} */
  static openEntry(directory: number, name: string): PathHandle {
    const path = cString(Buffer.from(name, "latin1"));
    return new PathHandle(check(libc.openat(directory, path, O_PATH | constants.O_NOFOLLOW | O_CLOEXEC, 0), `open ${name}`));
  }

  [Symbol.dispose](): void {
    closeSync(this.descriptor);
  }

  stat(): BigIntStats {
    return fstatSync(this.descriptor, { bigint: true });
  }

  /** Opens the object itself. Only for regular files and directories: others may wait or do something. The caller closes it. */
  reopen(flags: number): number {
    return openSync(this.#path, flags);
  }

  /** Target of a link, as a byte string. */
  readLink(): string {
    const target = Buffer.alloc(4097);
    const length = check(libc.readlinkat(this.descriptor, cString(""), target, target.length), "read link");
    return target.toString("latin1", 0, length);
  }

  setOwner(uid: number, gid: number): void {
    check(libc.fchownat(this.descriptor, cString(""), uid, gid, AT_EMPTY_PATH), "set owner");
  }

  /** Not for links, which have no mode. */
  setMode(mode: number): void {
    check(libc.fchmodat(AT_FDCWD, cString(this.#path), mode, 0), "set mode");
  }

  /** Access and modification time; not for links. */
  setTimes(seconds: number, nanoseconds: number): void {
    const times = Buffer.alloc(32);
    for (const offset of [0, 16]) {
      times.writeBigInt64LE(BigInt(seconds), offset);
      times.writeBigInt64LE(BigInt(nanoseconds), offset + 8);
    }
    check(libc.utimensat(AT_FDCWD, cString(this.#path), times, 0), "set times");
  }

  /** Undefined when it is not there, or the file system has none. Not for links. */
  xattr(key: string): Buffer | undefined {
    const value = Buffer.alloc(65536); // XATTR_SIZE_MAX
    const length = Number(libc.getxattr(cString(this.#path), cString(key), value, value.length));
    if (length >= 0) return Buffer.from(value.subarray(0, length));
    const errno = lastErrno();
    if (errno === ENODATA || errno === ENOTSUP) return undefined;
    throw new SystemError(`read attribute ${key}`, errno);
  }

  /** Not for links. */
  setXattr(key: string, value: Buffer): void {
    const held = [cString(this.#path), cString(key), value.length > 0 ? value : Buffer.alloc(1)] as const;
    check(libc.setxattr(held[0], held[1], held[2], value.length, 0), `set attribute ${key}`);
  }

  /** Leads to this very object, and never further along a link of the container's. */
  get #path(): string {
    return `/proc/self/fd/${this.descriptor}`;
  }
}
