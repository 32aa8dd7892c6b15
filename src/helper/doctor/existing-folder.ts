import { existsSync } from "node:fs";
import { dirname } from "node:path";

/** The folder itself, or the nearest above it that is there: a data root is made at the first start, on that file system. */
export function existingFolder(folder: string): string {
  let existing = folder;
  while (!existsSync(existing) && existing !== "/") existing = dirname(existing);
  return existing;
}
