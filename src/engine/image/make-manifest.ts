import { sha256, type Digest } from "#lib/digest.ts";
import { mediaTypes, type Manifest } from "#types/oci/image.ts";
import type { IncomingLayer } from "./store-image.ts";

export interface MadeManifest {
  readonly digest: Digest;
  readonly mediaType: string;
  readonly bytes: Uint8Array;
}

/** The manifest of an image that came without one: always the same bytes for the same image. */
export function makeManifest(
  config: { readonly id: Digest; readonly bytes: Uint8Array },
  layers: readonly Pick<IncomingLayer, "mediaType" | "digest" | "compressedBytes">[],
): MadeManifest {
  const manifest: Manifest = {
    schemaVersion: 2,
    mediaType: mediaTypes.ociManifest,
    config: { mediaType: mediaTypes.ociConfig, digest: config.id, size: config.bytes.length },
    layers: layers.map(({ mediaType, digest, compressedBytes }) => ({ mediaType, digest, size: compressedBytes })),
  };
  const bytes = Buffer.from(JSON.stringify(manifest));
  return { digest: sha256(bytes), mediaType: mediaTypes.ociManifest, bytes };
}
