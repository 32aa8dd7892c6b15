import { posix } from "node:path";

/// How the end of a path decides what a copy means. Source: docker cp, "Description".

/** True for `.`, `a/.` and the empty path: the content of a directory is meant. */
export function namesContent(path: string): boolean {
  return path === "" || posix.basename(path) === ".";
}

export function endsInSlash(path: string): boolean {
  return path.endsWith("/");
}

/** It can only be a directory. */
export function assertsDirectory(path: string): boolean {
  return endsInSlash(path) || namesContent(path);
}

/** Shortest form, without a slash at the end. */
export function clean(path: string): string {
  return posix.normalize(path).replace(/(.)\/$/, "$1");
}

/** Absolute, with the end it had. */
export function absolute(path: string, folder: string): string {
  return withEndOf(path, clean(posix.resolve(folder, path)));
}

function withEndOf(original: string, cleaned: string): string {
  let path = cleaned;
  if (!namesContent(path) && namesContent(original)) path = endsInSlash(path) ? `${path}.` : `${path}/.`;
  if (!endsInSlash(path) && endsInSlash(original)) path += "/";
  return path;
}

/** The directory that holds an entry, and the entry's name there; `/.` at the end is a name of its own. */
export function splitEntry(path: string): { readonly folder: string; readonly base: string } {
  const cleaned = clean(path);
  if (namesContent(path)) return { folder: cleaned, base: "." };
  return { folder: posix.dirname(cleaned), base: posix.basename(cleaned) || "/" };
}

/** A resolved link with the end of the path that was asked for, and the name the copy gets if the link has another. */
export function afterLink(asked: string, resolved: string): { readonly path: string; readonly rebaseName: string } {
  let path = resolved;
  if (namesContent(asked) && !namesContent(path)) path += "/.";
  if (endsInSlash(asked) && !endsInSlash(path)) path += "/";
  const name = posix.basename(asked) || "/";
  return { path, rebaseName: name === (posix.basename(path) || "/") ? "" : name };
}

/** Where a link leads that was read from `path`. */
export function linkedPath(path: string, target: string): string {
  return posix.isAbsolute(target) ? target : posix.join(splitEntry(path).folder, target);
}
