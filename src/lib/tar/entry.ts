/** What an entry of an archive is. A contiguous file (type 7) is a file. */
export type TarEntryType = "file" | "hardlink" | "symlink" | "character" | "block" | "directory" | "fifo";

/** A moment with nanoseconds; `seconds` since 1970, may be negative. */
export interface TarTime {
  readonly seconds: number;
  /** 0 to 999,999,999, always forwards from `seconds`. */
  readonly nanoseconds: number;
}

/** A piece of a sparse file that has data; between the pieces are holes. */
export interface SparseSegment {
  /** Position in the file. */
  readonly offset: number;
  readonly sizeBytes: number;
}

/**
 * One member of an archive, extended headers applied. Texts are byte strings (one UTF-16 unit per byte, as `latin1` decodes), so that names
 * which are not UTF-8 survive: `Buffer.from(path, "latin1")` gives the bytes.
 */
export interface TarEntry {
  readonly type: TarEntryType;
  /** As written: may be absolute, hold `..`, end in `/`. See {@link splitPath}. */
  readonly path: string;
  /** Target of a hard link or symlink, else "". */
  readonly link: string;
  /** Permission, setuid, setgid and sticky bits. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly userName: string;
  readonly groupName: string;
  readonly modified: TarTime;
  /** Size of the file as it will be on disk: holes included. 0 for everything but files. */
  readonly sizeBytes: number;
  /** Bytes of data in the archive; differs from `sizeBytes` for sparse files only. */
  readonly storedBytes: number;
  /** Position of the first byte of data in the archive; a multiple of 512. */
  readonly dataOffset: number;
  readonly deviceMajor: number;
  readonly deviceMinor: number;
  /** Extended attributes by full name (`user.a`). */
  readonly xattrs: ReadonlyMap<string, Buffer>;
  /** Set for sparse files: the pieces in the order of their bytes in the archive. */
  readonly segments: readonly SparseSegment[] | undefined;
}

/** Receives an archive's content in order. */
export interface TarHandler {
  entry(entry: TarEntry): void;
  /** Piece of the data of the entry told last; its memory may be used again after the call. */
  data?(chunk: Uint8Array): void;
  /** All data of the entry have been told; called for each entry. */
  end?(entry: TarEntry): void;
}
