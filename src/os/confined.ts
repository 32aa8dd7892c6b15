import { closeSync, constants, lstatSync, openSync, readdirSync, readlinkSync, type BigIntStats } from "node:fs";
import { constants as system } from "node:os";
import { check, cString, lastErrno, libc, SystemError } from "./libc.ts";

const O_PATH = 0o10000000;
const O_CLOEXEC = 0o2000000;
const AT_FDCWD = -100;
const AT_SYMLINK_NOFOLLOW = 0x100;
const AT_REMOVEDIR = 0x200;
const { O_CREAT, O_DIRECTORY, O_EXCL, O_NOCTTY, O_NOFOLLOW, O_NONBLOCK, O_RDONLY, O_WRONLY } = constants;
const { ELOOP, ENODATA, ENOENT, ENOTDIR, ENOTSUP } = system.errno;

/**
 * An open directory whose entries are reached by one name at a time, links never followed: whatever others rename meanwhile, nothing
 * outside is touched. Names and link targets are byte strings (latin1), so that those which are not UTF-8 survive.
 * Source: openat(2), O_NOFOLLOW; proc_pid_fd(5).
 */
export class ConfinedDirectory implements Disposable {
  readonly descriptor: number;

  private constructor(descriptor: number) {
    this.descriptor = descriptor;
  }

  /** The last component may be a link; the caller vouches for the path. */
  static openPath(path: string): ConfinedDirectory {
    return new ConfinedDirectory(openSync(path, O_RDONLY | O_DIRECTORY));
  }

  /** Takes over a descriptor, of a detached mount for example. */
  static fromDescriptor(descriptor: number): ConfinedDirectory {
    return new ConfinedDirectory(descriptor);
  }

  [Symbol.dispose](): void {
    closeSync(this.descriptor);
  }

  /** Undefined when the name is missing or no directory (a link to one is none). */
  open(name: string): ConfinedDirectory | undefined {
    const descriptor = libc.openat(this.descriptor, bytes(name), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, 0);
    if (descriptor >= 0) return new ConfinedDirectory(descriptor);
    const errno = lastErrno();
    if (errno === ENOENT || errno === ENOTDIR || errno === ELOOP) return undefined;
    throw new SystemError(`open directory ${name}`, errno);
  }

  /** Names in byte order, without `.` and `..`. */
  names(): string[] {
    return readdirSync(`/proc/self/fd/${this.descriptor}`, { encoding: "latin1" }).sort();
  }

  /** Undefined when the name is missing. */
  stat(name: string): BigIntStats | undefined {
    return lstatSync(this.#path(name), { bigint: true, throwIfNoEntry: false });
  }

  /** Of the directory itself. */
  ownStat(): BigIntStats {
    return lstatSync(`/proc/self/fd/${this.descriptor}/.`, { bigint: true });
  }

  readLink(name: string): string {
    return readlinkSync(this.#path(name), { encoding: "latin1" });
  }

  /** Extended attributes by full name; of the directory itself for ".". */
  xattrs(name: string): Map<string, Buffer> {
    const path = cString(this.#path(name));
    const result = new Map<string, Buffer>();
    const list = Buffer.alloc(65536); // XATTR_LIST_MAX
    const length = Number(libc.llistxattr(path, list, list.length));
    if (length < 0 && (lastErrno() === ENOTSUP || lastErrno() === ENOENT)) return result;
    check(length, `list attributes of ${name}`);
    for (const key of list.toString("latin1", 0, length).split("\0").filter(Boolean)) {
      const value = this.#xattr(path, key);
      if (value) result.set(key, value);
    }
    return result;
  }

  /** One attribute, undefined when it is not there. */
  xattr(name: string, key: string): Buffer | undefined {
    return this.#xattr(cString(this.#path(name)), key);
  }

  /** A regular file to read; the caller closes it. Fifos and devices are opened without waiting, so the caller must look at fstat. */
  openFile(name: string): number {
    return check(libc.openat(this.descriptor, bytes(name), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0), `open ${name}`);
  }

  /** A new file to write; the caller closes it. */
  createFile(name: string): number {
    return check(libc.openat(this.descriptor, bytes(name), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600), `create ${name}`);
  }

  makeDirectory(name: string): void {
    check(libc.mkdirat(this.descriptor, bytes(name), 0o700), `make directory ${name}`);
  }

  /** Anything but a directory. */
  removeFile(name: string): void {
    check(libc.unlinkat(this.descriptor, bytes(name), 0), `remove ${name}`);
  }

  /** Whatever it is, with all it holds. */
  removeAll(name: string, isDirectory: boolean): void {
    if (!isDirectory) return this.removeFile(name);
    using directory = this.open(name);
    directory?.clear();
    this.removeDirectory(name);
  }

  /** Removes all that is in it. */
  clear(): void {
    for (const name of this.names()) this.removeAll(name, this.stat(name)?.isDirectory() ?? false);
  }

  /** Must be empty. */
  removeDirectory(name: string): void {
    check(libc.unlinkat(this.descriptor, bytes(name), AT_REMOVEDIR), `remove directory ${name}`);
  }

  /** Fifo or device. @param mode with the file type bits @param device as encoded in dev_t */
  makeNode(name: string, mode: number, device: number): void {
    check(libc.mknodat(this.descriptor, bytes(name), mode, device), `make node ${name}`);
  }

  makeSymlink(name: string, target: string): void {
    check(libc.symlinkat(bytes(target), this.descriptor, bytes(name)), `make symlink ${name}`);
  }

  /** A further name for a file at `path` below `root`; no component of the path may be a link. */
  makeLink(name: string, root: ConfinedDirectory, path: string): void {
    check(libc.linkat(root.descriptor, bytes(path), this.descriptor, bytes(name), 0), `make link ${name}`);
  }

  setOwner(name: string, uid: number, gid: number): void {
    check(libc.fchownat(this.descriptor, bytes(name), uid, gid, AT_SYMLINK_NOFOLLOW), `set owner of ${name}`);
  }

  /** Fails for a link, also for one that somebody has just put there: a link's target keeps its mode. */
  setMode(name: string, mode: number): void {
    const held = check(libc.openat(this.descriptor, bytes(name), O_PATH | O_NOFOLLOW | O_CLOEXEC, 0), `set mode of ${name}`);
    try {
      check(libc.fchmodat(AT_FDCWD, cString(`/proc/self/fd/${held}`), mode, 0), `set mode of ${name}`);
    } finally {
      closeSync(held);
    }
  }

  setXattr(name: string, key: string, value: Buffer): void {
    const held = [cString(this.#path(name)), bytes(key), value.length > 0 ? value : Buffer.alloc(1)] as const;
    check(libc.lsetxattr(held[0], held[1], held[2], value.length, 0), `set attribute ${key} of ${name}`);
  }

  removeXattr(name: string, key: string): void {
    check(libc.lremovexattr(cString(this.#path(name)), bytes(key)), `remove attribute ${key} of ${name}`);
  }

  /** Access and modification time. */
  setTimes(name: string, seconds: number, nanoseconds: number): void {
    const times = Buffer.alloc(32);
    for (const offset of [0, 16]) {
      times.writeBigInt64LE(BigInt(seconds), offset);
      times.writeBigInt64LE(BigInt(nanoseconds), offset + 8);
    }
    check(libc.utimensat(this.descriptor, bytes(name), times, AT_SYMLINK_NOFOLLOW), `set times of ${name}`);
  }

  /** The name below the descriptor's own path: no component but the last is looked up. */
  #path(name: string): Buffer {
    return Buffer.from(`/proc/self/fd/${this.descriptor}/${name}`, "latin1");
  }

  #xattr(path: Buffer, key: string): Buffer | undefined {
    const value = Buffer.alloc(65536); // XATTR_SIZE_MAX
    const length = Number(libc.lgetxattr(path, bytes(key), value, value.length));
    if (length >= 0) return Buffer.from(value.subarray(0, length));
    const errno = lastErrno();
    if (errno === ENODATA || errno === ENOENT || errno === ENOTSUP) return undefined;
    throw new SystemError(`read attribute ${key}`, errno);
  }
}

/** Writes what is cached of the descriptor's whole file system to the disk. Waits: never in the daemon. Source: syncfs(2). */
export function syncFileSystem(descriptor: number): void {
  check(libc.syncfs(descriptor), "sync file system");
}

function bytes(text: string): Buffer {
  return cString(Buffer.from(text, "latin1"));
}
