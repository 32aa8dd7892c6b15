import { TarError } from "#lib/tar/error.ts";
import { overlayXattrPrefix } from "./overlay-marks.ts";

/** A class of attribute names with its number in EROFS. Source: linux fs/erofs/erofs_fs.h, EROFS_XATTR_INDEX_*. */
export interface XattrClass {
  readonly prefix: string;
  readonly index: number;
  /** The prefix is the whole name. */
  readonly exact: boolean;
}

const classes: readonly XattrClass[] = [
  { prefix: "user.", index: 1, exact: false },
  { prefix: "system.posix_acl_access", index: 2, exact: true },
  { prefix: "system.posix_acl_default", index: 3, exact: true },
  { prefix: "trusted.", index: 4, exact: false },
  { prefix: "security.", index: 6, exact: false },
];

/** Class of a name, undefined for names that no Linux file system knows. */
export function xattrClass(name: string): XattrClass | undefined {
  return classes.find(({ prefix, exact }) => (exact ? name === prefix : name.startsWith(prefix) && name.length > prefix.length));
}

/**
 * The attributes of an entry that a layer keeps. Those that steer overlayfs are dropped, as are unknown classes (Docker drops what the file
 * system refuses).
 * @throws {TarError} for a name or value larger than Linux allows (xattr(7))
 */
export function keepXattrs(xattrs: ReadonlyMap<string, Buffer>, at: number): Map<string, Buffer> | undefined {
  let kept: Map<string, Buffer> | undefined;
  for (const [name, value] of xattrs) {
    if (name.startsWith(overlayXattrPrefix) || !xattrClass(name)) continue;
    if (name.length > 255 || name.includes("\0") || value.length > 65535) throw new TarError("extended attribute is too large", at);
    (kept ??= new Map()).set(name, value);
  }
  return kept;
}
