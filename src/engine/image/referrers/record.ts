import { parseArtifact } from "#drivers/distribution/artifact.ts";
import { sha256 } from "#lib/digest.ts";
import { mediaTypes, type Descriptor } from "#types/oci/image.ts";
import type { ReferrerRecord } from "#types/record/image.ts";

/** What is kept of an artifact beside its bytes. @throws {EngineError} `internal` when the manifest is none of an artifact */
export function referrerRecord(bytes: Uint8Array): ReferrerRecord {
  const { artifactType, annotations, subject, blobs } = parseArtifact(bytes);
  return {
    digest: sha256(bytes),
    mediaType: mediaTypes.ociManifest,
    sizeBytes: bytes.length,
    artifactType,
    ...(annotations && { annotations }),
    subject: subject.digest,
    blobs: blobs.map(({ digest, size }) => ({ digest, sizeBytes: size })),
  };
}

/** As it stands in a list of referrers. */
export function referrerDescriptor({ mediaType, digest, sizeBytes, artifactType, annotations }: ReferrerRecord): Descriptor {
  return { mediaType, digest, size: sizeBytes, artifactType, ...(annotations && { annotations }) };
}

/** Those of both, by digest; the later ones win. */
export function withReferrers(known: readonly ReferrerRecord[], more: readonly ReferrerRecord[]): ReferrerRecord[] {
  return [...new Map([...known, ...more].map((one) => [one.digest, one])).values()];
}
