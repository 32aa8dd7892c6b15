import { treeUsage, type TreeUsage } from "#os/tree-usage.ts";
import { findNameChanges } from "./diff.ts";
import { isInitFile } from "./init-files.ts";

/** What a container's upper folder takes; `sizeBytes` is Docker's `SizeRw`. What the daemon itself puts into each container is not counted. */
export function folderUsage(folder: string): Promise<TreeUsage> {
  return treeUsage(folder, { isLeftOut: isInitFile, skipsEmptyFolders: true });
}

/**
 * The same of a copied tree: bytes and files that differ from the layers', as Docker's driver vfs counts them, and the blocks of all of it. For
 * helper processes. @param lowers  folders of the layers, top first
 */
export async function copyUsage(upper: string, lowers: readonly string[]): Promise<TreeUsage> {
  const { allocatedBytes } = await treeUsage(upper);
  let [sizeBytes, inodes] = [0, 0];
  const linked = new Set<bigint>();
  for (const { stat } of findNameChanges(upper, lowers)) {
    if (!stat || (stat.nlink > 1n && !stat.isDirectory() && linked.has(stat.ino))) continue;
    linked.add(stat.ino);
    inodes++;
    if (!stat.isDirectory()) sizeBytes += Number(stat.size);
  }
  return { sizeBytes, allocatedBytes, inodes };
}
