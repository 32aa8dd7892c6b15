import { EngineError } from "#lib/errors.ts";
import type { TarEntry } from "#lib/tar/entry.ts";
import { splitPath } from "#lib/tar/path.ts";

/** Where the bytes of one file of the archive were put. */
export interface MemberRange {
  readonly path: string;
  /** Undefined when they are the whole of the file. */
  readonly offset: number | undefined;
  readonly sizeBytes: number;
}

type Member =
  | { readonly type: "file"; readonly range: MemberRange }
  | { readonly type: "symlink" | "hardlink"; readonly target: string }
  | { readonly type: "other" };

/** Blobs, folders and legacy files of a few thousand layers. */
const maximumMembers = 65_536;
/** Names together; each may have 4096 bytes. */
const maximumNameBytes = 16 << 20;
/** Links from links; Linux ends at 40 too. */
const maximumLinks = 40;

/**
 * Members of an image archive by their path. Nothing is ever extracted: a path, a symbolic link or a hard link leads to another member, or
 * nowhere; the host's files do not exist here.
 */
export class ArchiveIndex {
  readonly #members = new Map<string, Member>();
  #nameBytes = 0;

  /**
   * The last entry of a path counts.
   * @param range  where the bytes of a file are
   * @returns the path, as it is looked up
   * @throws {EngineError} `invalid` beyond the bounds; {TarError} for a path that leaves the archive
   */
  add(entry: TarEntry, range: MemberRange | undefined): string {
    const path = splitPath(entry.path, entry.dataOffset).join("/");
    this.#nameBytes += path.length + entry.link.length;
    if (this.#members.size >= maximumMembers || this.#nameBytes > maximumNameBytes)
      throw new EngineError("invalid", "invalid archive: too many members for an image");
    this.#members.set(path, memberOf(entry, range));
    return path;
  }

  /** Where a file's bytes are; undefined when there is no such file. @param path as written in the archive's documents */
  find(path: string): MemberRange | undefined {
    const member = this.#resolve(path);
    return member?.type === "file" ? member.range : undefined;
  }

  #resolve(path: string): Member | undefined {
    // As in a root of its own: `..` stops at the top, an absolute path begins there.
    const rest = Buffer.from(path).toString("latin1").split("/").reverse();
    const at: string[] = [];
    let member: Member | undefined;
    for (let links = 0; rest.length > 0;) {
      const part = rest.pop() ?? "";
      if (part === "" || part === ".") continue;
      if (part === "..") {
        at.pop();
        continue;
      }
      at.push(part);
      member = this.#members.get(at.join("/"));
      if (member?.type !== "symlink" && member?.type !== "hardlink") continue;
      if (++links > maximumLinks || rest.length > 1024) return undefined;
      // A hard link's target is a path from the top, a symbolic link's from its folder.
      if (member.type === "hardlink" || member.target.startsWith("/")) at.length = 0;
      else at.pop();
      rest.push(...member.target.split("/").reverse());
      member = undefined;
    }
    return this.#members.get(at.join("/"));
  }
}

function memberOf(entry: TarEntry, range: MemberRange | undefined): Member {
  if (entry.type === "symlink" || entry.type === "hardlink") return { type: entry.type, target: entry.link };
  return range ? { type: "file", range } : { type: "other" };
}
