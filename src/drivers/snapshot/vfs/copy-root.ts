import { fsyncSync, mkdirSync, renameSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { randomId } from "#lib/id.ts";
import { ConfinedDirectory, syncFileSystem } from "#os/confined.ts";
import { removeTree } from "#os/remove-tree.ts";
import { copyContent } from "../../volume/copy-tree.ts";
import type { RootCopy } from "../helper-protocol.ts";
import { partialPrefix, wholeMark } from "./whole-upper.ts";

/**
 * Makes a container's tree as a copy of its top layer's files: whole or absent, whenever a kill comes. One that is there stays: a helper of a
 * daemon that was killed may just have made it. What is left of a copy is the next daemon's to remove. Blocks: for helper processes.
 */
export function copyRoot({ layer, upper, isSynced }: RootCopy): null {
  const partial = `${partialPrefix(upper)}${randomId().slice(0, 12)}`;
  try {
    fill(partial, layer, isSynced);
    writeFileSync(wholeMark(upper), "", { mode: 0o600 });
    putInPlace(partial, upper);
    if (isSynced) syncFolder(dirname(upper));
  } catch (error) {
    removeTree(partial);
    throw error;
  }
  return null;
}

function putInPlace(partial: string, upper: string): void {
  try {
    renameSync(partial, upper);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== "ENOTEMPTY" && code !== "EEXIST") throw error;
    removeTree(partial);
  }
}

/** The folder's own metadata are what an overlay's would be. */
function fill(folder: string, layer: string | undefined, isSynced: boolean): void {
  mkdirSync(folder, { mode: 0o755 });
  using to = ConfinedDirectory.openPath(folder);
  to.setMode(".", 0o755);
  if (layer !== undefined) {
    using from = ConfinedDirectory.openPath(layer);
    copyContent(from, to);
  }
  if (isSynced) syncFileSystem(to.descriptor);
}

function syncFolder(path: string): void {
  using folder = ConfinedDirectory.openPath(path);
  fsyncSync(folder.descriptor);
}
