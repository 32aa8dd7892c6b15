import { closeSync, fstatSync, type BigIntStats } from "node:fs";
import { deviceOf, modifiedOf } from "#lib/tar/stat-head.ts";
import type { ConfinedDirectory } from "#os/confined.ts";
import { DataCopy } from "#os/copy-data.ts";
import { encodeDevice, fileType } from "../snapshot/file-mode.ts";
import { setXattrIfKept } from "../snapshot/set-xattr.ts";
import { keepXattrs } from "../snapshot/xattr-names.ts";

/**
 * Copies what is in `from` into the empty folder `to`, and what it is itself: owners, modes, times, links, holes, devices and attributes
 * included. No link is followed on either side. For a helper process: it waits for the disk.
 */
export function copyTree(from: ConfinedDirectory, to: ConfinedDirectory): void {
  copyContent(from, to);
  describe(from, ".", to, ".", from.ownStat()); // last: its entries have changed its time
}

/** The same without owner, mode, time and attributes of the folder itself. */
export function copyContent(from: ConfinedDirectory, to: ConfinedDirectory): void {
  new TreeCopy(to).content(from, to, "");
}

class TreeCopy {
  readonly #root: ConfinedDirectory;
  readonly #data = new DataCopy();
  /** First path of each file with several names, by device and inode. */
  readonly #linked = new Map<string, string>();

  constructor(root: ConfinedDirectory) {
    this.#root = root;
  }

  content(from: ConfinedDirectory, to: ConfinedDirectory, path: string): void {
    for (const name of from.names()) {
      const stat = from.stat(name);
      if (stat) this.#entry(from, to, name, path === "" ? name : `${path}/${name}`, stat);
    }
  }

  #entry(from: ConfinedDirectory, to: ConfinedDirectory, name: string, path: string, stat: BigIntStats): void {
    if (stat.isDirectory()) {
      using source = from.open(name);
      if (!source) return; // replaced meanwhile
      to.makeDirectory(name);
      using target = to.open(name);
      if (target) this.content(source, target, path);
      return describe(from, name, to, name, stat);
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
      const stat = fstatSync(source, { bigint: true });
      if (!stat.isFile()) return; // replaced by a fifo or device meanwhile
      const target = to.createFile(name);
      try {
        this.#data.copy(source, target, stat);
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
  for (const [key, value] of keepXattrs(from.xattrs(source), 0) ?? []) setXattrIfKept(to, name, key, value);
  const { seconds, nanoseconds } = modifiedOf(stat);
  to.setTimes(name, seconds, nanoseconds);
}
