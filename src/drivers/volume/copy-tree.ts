import { closeSync, fstatSync, readSync, writeSync, type BigIntStats } from "node:fs";
import { deviceOf, modifiedOf } from "#lib/tar/stat-head.ts";
import { encodeDevice, fileType } from "../snapshot/file-mode.ts";
import { keepXattrs } from "../snapshot/xattr-names.ts";
import type { ConfinedDirectory } from "#os/confined.ts";

const copyBytes = 1 << 20;

/**
 * Copies what is in `from` into the empty folder `to`: owners, modes, times, links, devices and attributes included. No link is followed
 * on either side. For a helper process: it waits for the disk.
 */
export function copyTree(from: ConfinedDirectory, to: ConfinedDirectory): void {
  new TreeCopy(to).directory(from, to, "");
}

class TreeCopy {
  readonly #root: ConfinedDirectory;
  readonly #buffer = Buffer.allocUnsafe(copyBytes);
  /** First path of each file with several names, by device and inode. */
  readonly #linked = new Map<string, string>();

  constructor(root: ConfinedDirectory) {
    this.#root = root;
  }

  directory(from: ConfinedDirectory, to: ConfinedDirectory, path: string): void {
    for (const name of from.names()) {
      const stat = from.stat(name);
      if (stat) this.#entry(from, to, name, path === "" ? name : `${path}/${name}`, stat);
    }
    // Last: its entries have changed its time.
    describe(from, ".", to, ".", from.ownStat());
  }

  #entry(from: ConfinedDirectory, to: ConfinedDirectory, name: string, path: string, stat: BigIntStats): void {
    if (stat.isDirectory()) {
      using source = from.open(name);
      if (!source) return; // replaced meanwhile
      to.makeDirectory(name);
      using target = to.open(name);
      if (target) this.directory(source, target, path);
      return;
    }
    const key = `${stat.dev}:${stat.ino}`;
    const first = stat.nlink > 1n ? this.#linked.get(key) : undefined;
    if (first !== undefined) return to.makeLink(name, this.#root, first);
    if (stat.nlink > 1n) this.#linked.set(key, path);
    if (stat.isSymbolicLink()) to.makeSymlink(name, from.readLink(name));
    else if (stat.isFile()) this.#file(from, to, name);
    else if (stat.isSocket())
      return; // means nothing without its listener
    else {
      const { major, minor } = deviceOf(stat);
      to.makeNode(name, Number(stat.mode) & (fileType.mask | 0o700), encodeDevice(major, minor));
    }
    describe(from, name, to, name, stat);
  }

  #file(from: ConfinedDirectory, to: ConfinedDirectory, name: string): void {
    const source = from.openFile(name);
    try {
      if (!fstatSync(source).isFile()) return; // replaced by a fifo or device meanwhile
      const target = to.createFile(name);
      try {
        for (let length; (length = readSync(source, this.#buffer, 0, copyBytes, null)) > 0;) {
          for (let written = 0; written < length;) written += writeSync(target, this.#buffer, written, length - written);
        }
      } finally {
        closeSync(target);
      }
    } finally {
      closeSync(source);
    }
  }
}

function describe(from: ConfinedDirectory, source: string, to: ConfinedDirectory, name: string, stat: BigIntStats): void {
  to.setOwner(name, Number(stat.uid), Number(stat.gid));
  if (!stat.isSymbolicLink()) to.setMode(name, Number(stat.mode) & 0o7777);
  for (const [key, value] of keepXattrs(from.xattrs(source), 0) ?? []) to.setXattr(name, key, value);
  const { seconds, nanoseconds } = modifiedOf(stat);
  to.setTimes(name, seconds, nanoseconds);
}
