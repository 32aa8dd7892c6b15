import { digestHex, type Digest } from "#lib/digest.ts";
import { messageOf } from "#lib/errors.ts";
import { hashFile } from "#os/hash-file.ts";

/** A file and the blob that it should be. */
export interface BlobCheck {
  readonly path: string;
  readonly digest: Digest;
}

export interface BlobDamage {
  readonly isMissing: boolean;
  readonly reason: string;
}

/** Looks for damage in blobs; null for each that has none. Blocks: for helper processes. */
export function findBlobDamage(blobs: readonly BlobCheck[]): (BlobDamage | null)[] {
  return blobs.map(({ path, digest }) => {
    try {
      const algorithm = digest.startsWith("sha512:") ? "sha512" : "sha256";
      return hashFile(path, algorithm) === digestHex(digest) ? null : { isMissing: false, reason: "its content has another digest" };
    } catch (error) {
      const isMissing = (error as NodeJS.ErrnoException).code === "ENOENT";
      return { isMissing, reason: isMissing ? "it is missing" : messageOf(error) };
    }
  });
}
