import { lstatSync, readlinkSync, realpathSync, statSync, type Stats } from "node:fs";
import { posix } from "node:path";
import { ExitError } from "../../errors.ts";
import { afterLink, assertsDirectory, endsInSlash, linkedPath, splitEntry } from "./paths.ts";

/** One side of a copy. */
export interface CopyInfo {
  readonly path: string;
  readonly exists: boolean;
  readonly isDirectory: boolean;
  /** Name under which the source is packed, when it differs; "" else. */
  readonly rebaseName: string;
}

/** What to unpack where. */
export interface CopyPlan {
  readonly folder: string;
  readonly renames: readonly Rename[];
  /** The one name in the folder that the copy has; undefined when the archive's own names are taken. */
  readonly base: string | undefined;
}

/** The first `from` in a name becomes `to`. */
export interface Rename {
  readonly from: string;
  readonly to: string;
}

const maximumLinks = 10;

/** What is to be copied from this host. @throws {ExitError} with Docker's texts */
export function sourceInfo(path: string, followLink: boolean): CopyInfo {
  const { path: resolved, rebaseName } = followLink ? afterLink(path, realPath(path)) : withRealFolder(path);
  const stat = lookAt(resolved);
  return { path: resolved, exists: true, isDirectory: stat.isDirectory(), rebaseName };
}

/** Links on the way are followed, the last name is taken as it is. */
function withRealFolder(path: string): { path: string; rebaseName: string } {
  const slash = path.lastIndexOf("/");
  const [folder, base] = [path.slice(0, slash + 1), path.slice(slash + 1)];
  const resolved = `${realPath(folder)}/${base}`;
  const name = posix.basename(path);
  return { path: resolved, rebaseName: endsInSlash(path) && name !== posix.basename(resolved) ? name : "" };
}

function realPath(path: string): string {
  try {
    const resolved = realpathSync(path);
    if (endsInSlash(path) && !statSync(resolved).isDirectory()) throw notDirectory();
    return resolved;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOTDIR") throw notDirectory();
    if (code === "ENOENT") throw missing(path);
    throw error;
  }
}

/** Go names the first part of the path that is not there. */
function missing(path: string): ExitError {
  const parts = path.split("/").filter(Boolean);
  for (let count = 1; count < parts.length; count++) {
    const part = `/${parts.slice(0, count).join("/")}`;
    if (!statSync(part, { throwIfNoEntry: false })) return noSuchFile(part);
  }
  return noSuchFile(path.replace(/(.)\/$/, "$1"));
}

function lookAt(path: string): Stats {
  try {
    return lstatSync(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT") throw noSuchFile(path);
    if (code === "ENOTDIR") throw new ExitError(1, `lstat ${path}: not a directory`);
    throw error;
  }
}

const noSuchFile = (path: string): ExitError => new ExitError(1, `lstat ${path}: no such file or directory`);
const notDirectory = (): ExitError => new ExitError(1, "not a directory");

/** Where a copy goes on this host: links are followed, the last name may be missing. @throws {ExitError} with Docker's texts */
export function destinationInfo(path: string): CopyInfo {
  let at = path;
  let stat = lstatSync(at, { throwIfNoEntry: false });
  for (let links = 0; stat?.isSymbolicLink(); links++) {
    if (links > maximumLinks) throw new ExitError(1, `too many symlinks in ${path}`);
    at = linkedPath(at, readlinkSync(at));
    stat = lstatSync(at, { throwIfNoEntry: false });
  }
  if (stat) return { path: at, exists: true, isDirectory: stat.isDirectory(), rebaseName: "" };
  const { folder } = splitEntry(at);
  const parent = statSync(folder, { throwIfNoEntry: false });
  if (!parent) throw new ExitError(1, `stat ${folder}: no such file or directory`);
  if (!parent.isDirectory()) throw notDirectory();
  return { path: at, exists: false, isDirectory: false, rebaseName: "" };
}

/** Decides where an archive of the source is unpacked, and under which name. @throws {ExitError} when the two do not go together */
export function planCopy(source: CopyInfo, destination: CopyInfo): CopyPlan {
  if (destination.exists && destination.isDirectory) return { folder: destination.path, renames: [], base: undefined };
  if (destination.exists && source.isDirectory) throw new ExitError(1, "cannot copy directory");
  if (!destination.exists && !source.isDirectory && assertsDirectory(destination.path)) throw new ExitError(1, "no such directory");
  const { folder, base } = splitEntry(destination.path);
  const from = source.rebaseName || splitEntry(source.path).base;
  return { folder, renames: [renaming(from, base)], base };
}

/** The name `/` stands before every other. */
export function renaming(from: string, to: string): Rename {
  return { from: from === "/" ? "" : from, to };
}

/** An output that cannot be written is told before anything is asked of the daemon. @throws {ExitError} with Docker's texts */
export function checkOutputPath(path: string): void {
  const folder = posix.dirname(posix.normalize(path).replace(/(.)\/$/, "$1"));
  if (folder !== "." && !statSync(folder, { throwIfNoEntry: false }))
    throw new ExitError(1, `invalid output path: directory ${JSON.stringify(folder)} does not exist`);
  let stat: Stats | undefined;
  try {
    stat = statSync(path, { throwIfNoEntry: false });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOTDIR") throw new ExitError(1, `stat ${path}: not a directory`);
    throw error;
  }
  if (stat?.isBlockDevice() || stat?.isCharacterDevice())
    throw new ExitError(1, `invalid output path: ${JSON.stringify(path)} must be a directory or a regular file: got a device`);
}
