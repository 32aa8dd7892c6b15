import type { BigIntStats } from "node:fs";
import { closeSync } from "node:fs";
import { ConfinedDirectory } from "#os/confined.ts";
import { openOverlayView } from "#os/overlay-view.ts";
import { fileType } from "./file-mode.ts";
import { opaqueXattr } from "./overlay-marks.ts";
import { isWhiteout } from "./stat-fields.ts";
import type { FileChange } from "./types.ts";

/**
 * What an upper folder changes over its layers, computed from the upper alone: the image is asked only for names that lie in the upper. True
 * for overlays made with index, redirect_dir and metacopy off. Blocks: for helper processes.
 * @param lowers folders of the layers, top first
 * Source: kernel documentation, filesystems/overlayfs.
 */
export function findChanges(upper: string, lowers: readonly string[]): FileChange[] {
  using root = ConfinedDirectory.openPath(upper);
  if (lowers.length === 0) return new ChangeWalk().walk(root, undefined);
  const view = openOverlayView(lowers);
  try {
    return new ChangeWalk().walk(root, ConfinedDirectory.fromDescriptor(view));
  } finally {
    closeSync(view);
  }
}

const modified = 0;
const added = 1;
const deleted = 2;

/** Depth-first in byte order, a directory before its content. */
class ChangeWalk {
  readonly #changes: FileChange[] = [];

  walk(upper: ConfinedDirectory, lower: ConfinedDirectory | undefined): FileChange[] {
    this.#directory(upper, lower, "", false);
    return this.#changes;
  }

  /** @param replaces the directory stands for all of the image's: what it does not name is gone */
  #directory(upper: ConfinedDirectory, lower: ConfinedDirectory | undefined, path: string, replaces: boolean): void {
    const inUpper = new Set(upper.names());
    const gone = replaces ? (lower?.names() ?? []).filter((name) => !inUpper.has(name)) : [];
    for (const name of [...inUpper, ...gone].sort()) {
      const childPath = `${path}/${name}`;
      if (inUpper.has(name)) this.#entry(upper, lower, name, childPath, replaces);
      else this.#record(childPath, deleted);
    }
  }

  #entry(upper: ConfinedDirectory, lower: ConfinedDirectory | undefined, name: string, path: string, replaces: boolean): void {
    const now = upper.stat(name);
    if (!now) return; // removed since the names were read
    const before = lower?.stat(name);
    if (isWhiteout(now)) {
      if (before) this.#record(path, deleted);
      return;
    }
    const isOtherKind = before !== undefined && kindOf(before) !== kindOf(now);
    if (!before) this.#record(path, added);
    else if (isOtherKind || !isSame(now, before, upper, lower, name)) this.#record(path, modified);
    if (!now.isDirectory()) return;
    using upperChild = upper.open(name);
    if (!upperChild) return;
    // Below something new or of another kind there is nothing of the image.
    using lowerChild = before?.isDirectory() ? lower?.open(name) : undefined;
    const isOpaque = upperChild.xattr(".", opaqueXattr)?.toString() === "y";
    this.#directory(upperChild, lowerChild, path, replaces || isOpaque);
  }

  #record(path: string, kind: FileChange["kind"]): void {
    this.#changes.push({ path: Buffer.from(path, "latin1").toString(), kind });
  }
}

function kindOf(stat: BigIntStats): number {
  return Number(stat.mode) & fileType.mask;
}

/** A file that was copied up and left as it was is no change. */
function isSame(
  now: BigIntStats,
  before: BigIntStats,
  upper: ConfinedDirectory,
  lower: ConfinedDirectory | undefined,
  name: string,
): boolean {
  const hasSameMetadata =
    now.mode === before.mode &&
    now.uid === before.uid &&
    now.gid === before.gid &&
    now.rdev === before.rdev &&
    now.mtimeNs === before.mtimeNs &&
    (now.isDirectory() || now.size === before.size);
  return hasSameMetadata && (!now.isSymbolicLink() || upper.readLink(name) === lower?.readLink(name));
}
