import { EngineError } from "#lib/errors.ts";
import { xattrClass } from "../xattr-names.ts";
import { alignUp, xattrHeaderBytes } from "./format.ts";

/** The attributes that follow an inode: a header of zeros (no name filter, nothing shared), then entries padded to four bytes, sorted by name. */
export function xattrBody(xattrs: ReadonlyMap<string, Buffer>): Buffer {
  const sorted = [...xattrs].sort(([first], [second]) => (first < second ? -1 : 1));
  const body = Buffer.concat([Buffer.alloc(xattrHeaderBytes), ...sorted.map(([name, value]) => xattrEntry(name, value))]);
  // The inode counts them in units of four bytes, in 16 bits.
  if (xattrCount(body.length) > 0xffff) throw new EngineError("invalid", "extended attributes of one file are larger than 256 KiB");
  return body;
}

/** What the inode says of a body of this length. */
export function xattrCount(bodyBytes: number): number {
  return bodyBytes === 0 ? 0 : (bodyBytes - xattrHeaderBytes) / 4 + 1;
}

function xattrEntry(name: string, value: Buffer): Buffer {
  const kind = xattrClass(name);
  if (!kind) throw new Error(`attribute ${name} has no class`); // the tree keeps known classes only
  const rest = name.slice(kind.prefix.length);
  const entry = Buffer.alloc(alignUp(4 + rest.length + value.length, 4));
  entry[0] = rest.length;
  entry[1] = kind.index;
  entry.writeUInt16LE(value.length, 2);
  entry.write(rest, 4, "latin1");
  value.copy(entry, 4 + rest.length);
  return entry;
}
