import { closeSync } from "node:fs";
import { ConfinedDirectory } from "#os/confined.ts";
import { openOverlayView } from "#os/overlay-view.ts";
import type { DirectoryMetadata } from "./layer-node.ts";
import type { LowerLookup } from "./layer-tree.ts";
import { modifiedOf } from "#lib/tar/stat-head.ts";
import { keepXattrs } from "./xattr-names.ts";

/** Runs `body` with a look-up of directories in the layers below, merged. @param lowers folders, top first */
export function withLowers<T>(lowers: readonly string[], body: (lookup: LowerLookup) => T): T {
  if (lowers.length === 0) return body(() => undefined);
  const view = openOverlayView(lowers);
  try {
    return body((path) => describeDirectory(view, path));
  } finally {
    closeSync(view);
  }
}

/** Goes down name by name, without following links: behind a link the layer's own directory stands for something new. */
function describeDirectory(view: number, path: string): DirectoryMetadata | undefined {
  const opened: ConfinedDirectory[] = [];
  try {
    let directory = ConfinedDirectory.fromDescriptor(view); // stays open: it is the caller's
    for (const name of path.split("/")) {
      const next = directory.open(name);
      if (!next) return undefined;
      opened.push(next);
      directory = next;
    }
    const stat = directory.ownStat();
    return {
      mode: Number(stat.mode) & 0o7777,
      uid: Number(stat.uid),
      gid: Number(stat.gid),
      ...modifiedOf(stat),
      xattrs: keepXattrs(directory.xattrs("."), 0) ?? new Map(),
    };
  } finally {
    for (const directory of opened) directory[Symbol.dispose]();
  }
}
