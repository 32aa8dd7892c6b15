import type { ImageManifest } from "#engine/image/platforms/manifests.ts";

/** Source: Engine API, ImageManifestSummary. */
export function toManifestSummary({ descriptor, isAvailable, contentBytes, kind }: ImageManifest): unknown {
  const unpackedBytes = kind.type === "image" ? kind.unpackedBytes : 0;
  return {
    ID: descriptor.digest,
    Descriptor: descriptor,
    Available: isAvailable,
    Size: { Content: contentBytes, Total: contentBytes + unpackedBytes },
    Kind: kind.type,
    ...(kind.type === "image" && {
      ImageData: { Platform: kind.platform, Containers: kind.containers, Size: { Unpacked: unpackedBytes } },
    }),
    ...(kind.type === "attestation" && { AttestationData: { For: kind.subject } }),
  };
}
