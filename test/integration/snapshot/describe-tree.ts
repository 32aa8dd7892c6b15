import { closeSync, openSync, readFileSync, readSync } from "node:fs";
import { ConfinedDirectory } from "#os/confined.ts";

/** Larger contents are told by their digest, read in pieces. */
const shownBytes = 64;

export interface DescribeOptions {
  readonly withoutLinkCounts?: boolean;
}

/** Every name below a folder, and the folder itself, with what it is and holds; groups of hard links by the first of their names. */
export function describeTree(root: string, options: DescribeOptions = {}): Record<string, string> {
  const found: Record<string, string> = {};
  const groups = new Map<string, string>();
  const walk = (directory: ConfinedDirectory, at: string): void => {
    for (const child of directory.names()) {
      const stat = directory.stat(child);
      if (!stat) throw new Error(`${at}/${child} is listed, and is not there`);
      const here = `${at}/${child}`;
      const inode = `${stat.dev} ${stat.ino}`;
      if (!stat.isDirectory() && !groups.has(inode)) groups.set(inode, here);
      const content = stat.isFile() ? describeContent(`${root}${here}`, Number(stat.size)) : "";
      const target = stat.isSymbolicLink() ? directory.readLink(child) : "";
      const size = stat.isDirectory() ? "" : `${stat.size} ${options.withoutLinkCounts ? "" : stat.nlink} ${groups.get(inode)}`;
      const attributes = describeXattrs(directory, child);
      found[here] = [stat.mode, stat.uid, stat.gid, stat.mtimeNs, stat.rdev, size, target, attributes, content].join(" ");
      using below = stat.isDirectory() ? directory.open(child) : undefined;
      if (below) walk(below, here);
    }
  };
  using top = ConfinedDirectory.openPath(root);
  const own = top.ownStat();
  found["/"] = [own.mode, own.uid, own.gid, own.mtimeNs, describeXattrs(top, ".")].join(" ");
  walk(top, "");
  return found;
}

function describeXattrs(directory: ConfinedDirectory, name: string): string {
  const attributes = [...directory.xattrs(name)].map(([key, value]) => `${key}=${shorten(value)}`);
  return attributes.sort().join(",");
}

function describeContent(path: string, sizeBytes: number): string {
  const bytes = Buffer.from(path, "latin1");
  if (sizeBytes <= shownBytes) return readFileSync(bytes).toString("hex");
  const hasher = new Bun.CryptoHasher("sha256");
  const buffer = Buffer.allocUnsafe(1 << 20);
  const file = openSync(bytes, "r");
  try {
    for (let length = readSync(file, buffer); length > 0; length = readSync(file, buffer)) hasher.update(buffer.subarray(0, length));
  } finally {
    closeSync(file);
  }
  return hasher.digest("hex");
}

function shorten(value: Buffer): string {
  return value.length <= 64 ? value.toString("hex") : `${value.length} ${new Bun.CryptoHasher("sha256").update(value).digest("hex")}`;
}
