import type { BigIntStats } from "node:fs";
import { closeSync, existsSync } from "node:fs";
import { ConfinedDirectory } from "#os/confined.ts";
import { openOverlayView } from "#os/overlay-view.ts";
import { fileType } from "./file-mode.ts";
import { isMadeForAll } from "./init-files.ts";
import { opaqueXattr } from "./overlay-marks.ts";
import { isWhiteout } from "./stat-fields.ts";
import type { FileChange } from "./types.ts";
import { isWholeUpper } from "./vfs/whole-upper.ts";
import { keepXattrs } from "./xattr-names.ts";

/**
 * What a container's tree changes over its layers. Of an overlay's upper the upper alone tells, and the image is asked only for names that lie
 * in it: true for overlays made with index, redirect_dir and metacopy off. A copied tree is compared name by name. What every container has is
 * no change. Blocks: for helper processes.
 * @param lowers folders of the layers, top first
 * Source: kernel documentation, filesystems/overlayfs.
 */
export function findChanges(upper: string, lowers: readonly string[]): FileChange[] {
  return findNameChanges(upper, lowers).map(({ path, kind }) => ({ path: Buffer.from(path, "latin1").toString(), kind }));
}

/** A change with its path as bytes (latin1). */
export interface NameChange extends FileChange {
  /** Of what is there now. */
  readonly stat?: BigIntStats;
}

export interface ComparisonOptions {
  /** A file of which nothing but some attribute differs is changed, too: Docker does not tell it, but a commit must not lose it. */
  readonly withAttributes?: boolean;
}

/** As `findChanges`. */
export function findNameChanges(upper: string, lowers: readonly string[], options: ComparisonOptions = {}): NameChange[] {
  if (!existsSync(upper)) return []; // not even begun to start
  const walk = new ChangeWalk(options.withAttributes === true);
  using root = ConfinedDirectory.openPath(upper);
  if (lowers.length === 0) return walk.walk(root, undefined, false);
  const view = openOverlayView(lowers);
  try {
    return walk.walk(root, ConfinedDirectory.fromDescriptor(view), isWholeUpper(upper));
  } finally {
    closeSync(view);
  }
}

const modified = 0;
const added = 1;
const deleted = 2;

/** Depth-first in byte order, a directory before its content. */
class ChangeWalk {
  readonly #changes: NameChange[] = [];
  readonly #comparesAttributes: boolean;

  constructor(comparesAttributes: boolean) {
    this.#comparesAttributes = comparesAttributes;
  }

  /** @param replaces  the upper holds all that there is */
  walk(upper: ConfinedDirectory, lower: ConfinedDirectory | undefined, replaces: boolean): NameChange[] {
    this.#directory(upper, lower, "", replaces);
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
    if (!before && !isMadeForAll(path, now)) this.#record(path, added, now);
    else if (before && (isOtherKind || !this.#isSame(now, before, upper, lower, name))) this.#record(path, modified, now);
    if (!now.isDirectory()) return;
    this.#subdirectory(upper, before?.isDirectory() ? lower : undefined, name, path, replaces);
    // A directory in which something has changed is told before it.
    const isTold = this.#changes[position]?.path === path;
    if (!isTold && this.#changes.length > position) this.#changes.splice(position, 0, { path, kind: modified, stat: now });
  }

  /** @param lower  undefined below something new or of another kind: nothing of the image is there */
  #subdirectory(upper: ConfinedDirectory, lower: ConfinedDirectory | undefined, name: string, path: string, replaces: boolean): void {
    using upperChild = upper.open(name);
    if (!upperChild) return;
    using lowerChild = lower?.open(name);
    const isOpaque = !replaces && upperChild.xattr(".", opaqueXattr)?.toString() === "y";
    this.#directory(upperChild, lowerChild, path, replaces || isOpaque);
  }

  #record(path: string, kind: FileChange["kind"], stat?: BigIntStats): void {
    this.#changes.push({ path, kind, ...(stat && { stat }) });
  }

  /** A file that was copied up and left as it was is no change. Of a directory Docker compares neither size nor time. */
  #isSame(now: BigIntStats, before: BigIntStats, upper: ConfinedDirectory, lower: ConfinedDirectory | undefined, name: string): boolean {
    const hasSameMetadata =
      now.mode === before.mode &&
      now.uid === before.uid &&
      now.gid === before.gid &&
      now.rdev === before.rdev &&
      (now.isDirectory() || (now.mtimeNs === before.mtimeNs && now.size === before.size));
    if (!hasSameMetadata) return false;
    if (now.isSymbolicLink()) return upper.readLink(name) === lower?.readLink(name);
    if (this.#comparesAttributes) return hasSameAttributes(upper.xattrs(name), lower?.xattrs(name));
    return sameBytes(upper.xattr(name, capability), lower?.xattr(name, capability));
  }
}

function kindOf(stat: BigIntStats): number {
  return Number(stat.mode) & fileType.mask;
}

const capability = "security.capability";

function hasSameAttributes(one: ReadonlyMap<string, Buffer>, other: ReadonlyMap<string, Buffer> | undefined): boolean {
  const [now, before] = [keepXattrs(one, 0), keepXattrs(other ?? new Map(), 0)];
  if (now?.size !== before?.size) return false;
  return [...(now ?? [])].every(([key, value]) => sameBytes(value, before?.get(key)));
}

function sameBytes(one: Buffer | undefined, other: Buffer | undefined): boolean {
  return one === undefined || other === undefined ? one === other : one.equals(other);
}
