import { parseArtifact } from "#drivers/distribution/artifact.ts";
import { manifestLimitBytes, parseManifest } from "#drivers/distribution/parse-manifest.ts";
import type { ContentStore } from "#drivers/content/types.ts";
import { isDigest, parseDigest, type Digest } from "#lib/digest.ts";
import { isKind } from "#lib/errors.ts";
import { mediaTypes, type Descriptor } from "#types/oci/image.ts";
import type { ReferrerRecord } from "#types/record/image.ts";
import type { ImageArchive } from "../archive/image-archive.ts";
import { layoutIndexName } from "../archive/oci-layout.ts";
import type { ImageLease } from "../leases.ts";
import { storeBlob } from "../store-image.ts";
import { referrerRecord } from "./record.ts";

/** Artifacts of one archive that are looked at. */
const maximumArtifacts = 256;

/**
 * Takes in the artifacts of an OCI layout that refer to a manifest. Those that the archive lacks something of are passed over, as the layout of
 * an image for one platform alone lacks the others.
 * Source: OCI image-spec, image-layout.md.
 */
export async function loadReferrers(
  { content, lease, archive }: { readonly content: ContentStore; readonly lease: ImageLease; readonly archive: ImageArchive },
  subject: Digest,
): Promise<ReferrerRecord[]> {
  if (!archive.has(layoutIndexName)) return [];
  const document = parseManifest(await archive.document(layoutIndexName), mediaTypes.ociIndex);
  const entries = document.kind === "index" ? document.index.manifests.filter(isArtifact).slice(0, maximumArtifacts) : [];
  const loaded: ReferrerRecord[] = [];
  for (const entry of entries) {
    const digest = parseDigest(entry.digest);
    if (!archive.has(archive.blobPath(digest))) continue;
    const bytes = await archive.blob(digest);
    const artifact = artifactIn(bytes);
    if (artifact?.subject.digest !== subject || !artifact.blobs.every((blob) => isIn(archive, blob))) continue;
    await storeBlob(content, lease, digest, bytes);
    for (const blob of artifact.blobs) {
      const blobDigest = parseDigest(blob.digest);
      await storeBlob(content, lease, blobDigest, await archive.blob(blobDigest));
    }
    loaded.push(referrerRecord(bytes));
  }
  return loaded;
}

const isArtifact = ({ mediaType, artifactType }: Descriptor): boolean => mediaType === mediaTypes.ociManifest && artifactType !== undefined;

/** Undefined for a manifest that refers to nothing. */
function artifactIn(bytes: Uint8Array): ReturnType<typeof parseArtifact> | undefined {
  try {
    return parseArtifact(bytes);
  } catch (error) {
    if (isKind(error, "internal")) return undefined;
    throw error;
  }
}

/** Documents only: content that is larger than one is not carried by archives. */
function isIn(archive: ImageArchive, { digest, size }: Descriptor): boolean {
  return (
    size <= manifestLimitBytes &&
    isDigest(digest) &&
    archive.has(archive.blobPath(digest)) &&
    archive.range(archive.blobPath(digest)).sizeBytes === size
  );
}
