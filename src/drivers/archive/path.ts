import { constants } from "node:fs";
import { posix } from "node:path";
import { EngineError, messageOf } from "#lib/errors.ts";
import { SystemError } from "#os/libc.ts";
import { openInRoot } from "#os/open-in-root.ts";
import { PathHandle } from "#os/path-handle.ts";

/// Paths inside a container, as byte strings (latin1): names that are not UTF-8 survive.
const O_PATH = 0o10000000;
const maximumLinks = 255;

export function toBytes(path: string): string {
  return Buffer.from(path).toString("latin1");
}

export function toText(path: string): string {
  return Buffer.from(path, "latin1").toString();
}

/** Opens a path of a container for look-ups and reading; links never lead out. The caller closes it. @throws {SystemError} */
export function openPath(root: number, path: string, flags: number): number {
  return openInRoot(root, Buffer.from(path, "latin1"), flags);
}

/** Holds what a path names; a link at its end is held itself, unless a slash follows it. */
export function holdPath(root: number, path: string): PathHandle {
  return new PathHandle(openPath(root, path, O_PATH | constants.O_NOFOLLOW));
}

/** True for `.`, `a/.` and the empty path, which mean the content of a directory. */
export function namesContent(path: string): boolean {
  return path === "" || posix.basename(path) === ".";
}

/** From `/` on and without `.` and `..`, but with the end that the client wrote: `/.` and `/` say something. */
export function absolutePath(path: string): string {
  let clean = posix.join("/", path).replace(/(.)\/$/, "$1");
  if (namesContent(path)) clean += clean.endsWith("/") ? "." : "/.";
  else if (path.endsWith("/") && !clean.endsWith("/")) clean += "/";
  return clean;
}

/**
 * The path with all links on it resolved, as text: for messages and comparisons, as others may change it at any moment.
 * @param missing  what is done when a name is not there: `keep` takes the rest as it is
 */
export function resolvePath(root: number, path: string, missing: "keep" | "throw"): string {
  let pending = path.split("/").filter(isName);
  let resolved = "";
  for (let links = 0; pending.length > 0;) {
    const [name = "", ...rest] = pending;
    pending = rest;
    if (name === "..") {
      resolved = resolved.slice(0, Math.max(0, resolved.lastIndexOf("/")));
      continue;
    }
    const target = linkAt(root, `${resolved}/${name}`, missing);
    if (target === undefined) {
      resolved = `${resolved}/${name}`;
      continue;
    }
    if (++links > maximumLinks) throw new EngineError("invalid", `lstat ${toText(path)}: too many links`);
    if (target.startsWith("/")) resolved = "";
    pending = [...target.split("/").filter(isName), ...pending];
  }
  return resolved === "" ? "/" : resolved;
}

function isName(part: string): boolean {
  return part !== "" && part !== ".";
}

/** Target of the link at a path whose parents have none; undefined when something else is there. */
function linkAt(root: number, path: string, missing: "keep" | "throw"): string | undefined {
  try {
    using handle = holdPath(root, path);
    return handle.stat().isSymbolicLink() ? handle.readLink() : undefined;
  } catch (error) {
    const isMissing = error instanceof SystemError && (error.code === "ENOENT" || error.code === "ENOTDIR");
    if (missing === "keep" && isMissing) return undefined;
    throw error;
  }
}

/** A failed look-up in Docker's words. */
export function pathError(error: unknown, request: { readonly path: string; readonly container: string }): unknown {
  if (!(error instanceof SystemError)) return error;
  const { path, container } = request;
  if (error.code === "ENOENT") return new EngineError("not_found", `Could not find the file ${path} in container ${container}`);
  const kind = error.code === "ENOTDIR" || error.code === "ELOOP" || error.code === "ENAMETOOLONG" ? "invalid" : "internal";
  return new EngineError(kind, `lstat ${path}: ${messageOf(error).split(": ").at(-1) ?? ""}`, { cause: error });
}
