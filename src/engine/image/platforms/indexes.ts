import { manifestLimitBytes, parseManifest } from "#drivers/distribution/parse-manifest.ts";
import type { ContentStore } from "#drivers/content/types.ts";
import { isDigest } from "#lib/digest.ts";
import type { Logger } from "#lib/log.ts";
import type { Descriptor } from "#types/oci/image.ts";

/**
 * The indexes that names stand for, by digest. They lie in the content store as long as a name stands for them; their entries are kept in
 * memory, so that the platforms of a name are known without a disk.
 */
export class ImageIndexes {
  readonly #entries = new Map<string, readonly Descriptor[]>();

  /** Reads those that are in the store. One that is not came before indexes were kept; one that is damaged is named in the log. */
  async open(content: ContentStore, digests: Iterable<string>, log: Logger): Promise<void> {
    for (const digest of new Set(digests)) {
      if (!isDigest(digest) || !(await content.info(digest))) continue;
      try {
        this.put(digest, await content.read(digest, manifestLimitBytes));
      } catch (error) {
        log.error("image index cannot be read", { index: digest, error });
      }
    }
  }

  /** @throws {EngineError} `internal` when it is neither index nor manifest; a manifest is passed over */
  put(digest: string, bytes: Uint8Array): void {
    const document = parseManifest(bytes, "");
    if (document.kind === "index") this.#entries.set(digest, document.index.manifests);
  }

  /** Its manifests in order; undefined when it is not kept here, or is none. */
  entries(digest: string): readonly Descriptor[] | undefined {
    return this.#entries.get(digest);
  }

  forget(digest: string): void {
    this.#entries.delete(digest);
  }
}
