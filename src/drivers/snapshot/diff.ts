import type { BigIntStats } from "node:fs";
import { closeSync, existsSync } from "node:fs";
import { ConfinedDirectory } from "#os/confined.ts";
import { openOverlayView } from "#os/overlay-view.ts";
import { fileType } from "./file-mode.ts";
import { isMadeForAll } from "./init-files.ts";
import { opaqueXattr } from "./overlay-marks.ts";
import { isWhiteout } from "./stat-fields.ts";
import type { FileChange } from "./types.ts";

/**
 * What an upper folder changes over its layers, computed from the upper alone: the image is asked only for names that lie in the upper. True
 * for overlays made with index, redirect_dir and metacopy off. What every container has is no change. Blocks: for helper processes.
 * @param lowers folders of the layers, top first
 * Source: kernel documentation, filesystems/overlayfs.
 */
export function findChanges(upper: string, lowers: readonly string[]): FileChange[] {
  if (!existsSync(upper)) return []; // not even begun to start
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
    const position = this.#changes.length;
    const isOtherKind = before !== undefined && kindOf(before) !== kindOf(now);
    if (!before && !isMadeForAll(path, now)) this.#record(path, added);
    else if (before && (isOtherKind || !isSame(now, before, upper, lower, name))) this.#record(path, modified);
    if (!now.isDirectory()) return;
    this.#subdirectory(upper, before?.isDirectory() ? lower : undefined, name, path, replaces);
    // A directory in which something has changed is told before it.
    const isTold = this.#changes[position]?.path === textOf(path);
    if (!isTold && this.#changes.length > position) this.#changes.splice(position, 0, { path: textOf(path), kind: modified });
  }

  /** @param lower  undefined below something new or of another kind: nothing of the image is there */
  #subdirectory(upper: ConfinedDirectory, lower: ConfinedDirectory | undefined, name: string, path: string, replaces: boolean): void {
    using upperChild = upper.open(name);
    if (!upperChild) return;
    using lowerChild = lower?.open(name);
    const isOpaque = upperChild.xattr(".", opaqueXattr)?.toString() === "y";
    this.#directory(upperChild, lowerChild, path, replaces || isOpaque);
  }

  #record(path: string, kind: FileChange["kind"]): void {
    this.#changes.push({ path: textOf(path), kind });
  }
}

function kindOf(stat: BigIntStats): number {
  return Number(stat.mode) & fileType.mask;
}

function textOf(path: string): string {
  return Buffer.from(path, "latin1").toString();
}

/** A file that was copied up and left as it was is no change. Of a directory Docker compares neither size nor time. */
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
    (now.isDirectory() || (now.mtimeNs === before.mtimeNs && now.size === before.size));
  if (!hasSameMetadata) return false;
  if (now.isSymbolicLink()) return upper.readLink(name) === lower?.readLink(name);
  return sameBytes(upper.xattr(name, capability), lower?.xattr(name, capability));
}

const capability = "security.capability";

function sameBytes(one: Buffer | undefined, other: Buffer | undefined): boolean {
  return one === undefined || other === undefined ? one === other : one.equals(other);
}
