import { hasDigest } from "#drivers/distribution/download.ts";
import { manifestLimitBytes } from "#drivers/distribution/parse-manifest.ts";
import { digestHex, type Digest } from "#lib/digest.ts";
import { EngineError, messageOf } from "#lib/errors.ts";
import type { ArchiveIndex, MemberRange } from "./members.ts";

/** An uploaded archive, its files on disk. */
export class ImageArchive {
  readonly #index: ArchiveIndex;

  constructor(index: ArchiveIndex) {
    this.#index = index;
  }

  has(path: string): boolean {
    return this.#index.find(path) !== undefined;
  }

  /** @throws {EngineError} `invalid` when there is no such file */
  range(path: string): MemberRange {
    const range = this.#index.find(path);
    if (!range) throw new EngineError("invalid", `invalid archive: ${JSON.stringify(path.slice(0, 256))} is not in it`);
    return range;
  }

  /** Place of a blob in an OCI layout. Source: OCI image-spec, image-layout.md. */
  blobPath(digest: Digest): string {
    return `blobs/${digest.slice(0, digest.indexOf(":"))}/${digestHex(digest)}`;
  }

  /** A small member whole. @throws {EngineError} `invalid` when it is missing or larger than a document may be */
  async document(path: string): Promise<Uint8Array> {
    const { path: file, offset = 0, sizeBytes } = this.range(path);
    if (sizeBytes > manifestLimitBytes)
      throw new EngineError("invalid", `invalid archive: ${JSON.stringify(path.slice(0, 256))} is larger than ${manifestLimitBytes} bytes`);
    return new Uint8Array(
      await Bun.file(file)
        .slice(offset, offset + sizeBytes)
        .arrayBuffer(),
    );
  }

  /** A small blob by its digest, which is checked. @throws {EngineError} `invalid` */
  async blob(digest: Digest): Promise<Uint8Array> {
    const bytes = await this.document(this.blobPath(digest));
    if (!hasDigest(bytes, digest)) throw new EngineError("invalid", `invalid archive: blob ${digest} has another digest`);
    return bytes;
  }

  /** @throws {EngineError} `invalid` when it is no JSON */
  async json(path: string): Promise<unknown> {
    try {
      return JSON.parse(Buffer.from(await this.document(path)).toString());
    } catch (error) {
      if (error instanceof EngineError) throw error;
      throw new EngineError("invalid", `invalid archive: ${path}: ${messageOf(error)}`, { cause: error });
    }
  }
}
