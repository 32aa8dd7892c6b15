import { ordered, type StoredManifest } from "./store.ts";

const ociManifest = "application/vnd.oci.image.manifest.v1+json";
const ociIndex = "application/vnd.oci.image.index.v1+json";
const dockerList = "application/vnd.docker.distribution.manifest.list.v2+json";

/** The list as it is shown and pushed, byte for byte as Docker's client writes it. */
export function listDocument(manifests: readonly StoredManifest[]): { readonly mediaType: string; readonly text: string } {
  const mediaType = manifests[0]?.Descriptor.mediaType === ociManifest ? ociIndex : dockerList;
  const entries = manifests.map(({ Descriptor: { mediaType: type, size, digest, platform } }) => ({
    mediaType: type,
    size,
    digest,
    platform: ordered(platform),
  }));
  return { mediaType, text: JSON.stringify({ schemaVersion: 2, mediaType, manifests: entries }, undefined, "   ") };
}
