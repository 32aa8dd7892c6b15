import type { Digest } from "#lib/digest.ts";

/** A blob as it lies in the store. */
export interface BlobInfo {
  readonly digest: Digest;
  readonly sizeBytes: number;
}

/**
 * Blobs by digest under `<data root>/content`: manifests, configs and the compressed layers of pulled images. A blob is visible whole
 * and verified, or not at all: temporary name, hash, fsync, rename, fsync of the folder.
 */
export interface ContentStore {
  info(digest: Digest): Promise<BlobInfo | undefined>;
  /** Path of a blob that exists; readers open it themselves and keep reading when it is removed meanwhile. */
  path(digest: Digest): string;
  /**
   * Whole content of a small blob (manifest, config), as its digest says.
   * @throws {EngineError} `not_found`; `too_large` above `limitBytes`; `internal` when it is damaged
   */
  read(digest: Digest, limitBytes: number): Promise<Uint8Array>;
  writer(): Promise<BlobWriter>;
  /** Takes over a file (in the store's temporary folder) that the caller has hashed and synced. */
  adopt(path: string, blob: BlobInfo): Promise<void>;
  /** Also what was set aside. The disk has its room again a little later: see `temporaryFolder`. */
  remove(digest: Digest): Promise<void>;
  list(): AsyncIterable<BlobInfo>;
  /** Sets a blob aside that is not what its name says: it is not there from now on, until it is written again, or removed. */
  quarantine(digest: Digest): Promise<void>;
  /** Blobs that were set aside and nobody has written again. */
  quarantined(): AsyncIterable<BlobInfo>;
  isQuarantined(digest: Digest): Promise<boolean>;
  /** What each blob takes on the disk, also what was set aside. */
  diskUse(): Promise<ReadonlyMap<Digest, number>>;
  /** Temporary folder of the store, on its file system; emptied at start. There is as much room as removed blobs have left. */
  temporaryFolder(): Promise<string>;
}

export interface BlobWriter extends AsyncDisposable {
  /** Appends `chunk`. Bytes are hashed in order, so calls must not overlap. */
  write(chunk: Uint8Array): Promise<void>;
  /**
   * Makes the blob visible under its digest, all or nothing; committing one that exists is a success. The writer is closed either way.
   * @param expected.digest     from the descriptor; absent: the computed one is taken
   * @param expected.sizeBytes  exact size, 0 to 2^53-1
   * @throws {EngineError} `invalid` when digest or size differ; the partial blob is discarded
   * Source: OCI distribution-spec, "Pushing blobs".
   */
  commit(expected: { digest?: Digest; sizeBytes?: number }): Promise<BlobInfo>;
}
