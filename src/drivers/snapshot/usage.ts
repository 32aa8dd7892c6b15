import { treeUsage, type TreeUsage } from "#os/tree-usage.ts";
import { isInitFile } from "./init-files.ts";

/** What a container's upper folder takes; `sizeBytes` is Docker's `SizeRw`. What the daemon itself puts into each container is not counted. */
export function folderUsage(folder: string): Promise<TreeUsage> {
  return treeUsage(folder, { isLeftOut: isInitFile, skipsEmptyFolders: true });
}
