import { parseManifest } from "#drivers/distribution/parse-manifest.ts";
import { isDigest, parseDigest } from "#lib/digest.ts";
import { mediaTypes, type Descriptor, type Manifest } from "#types/oci/image.ts";
import type { ImageLayerRecord, ImageRecord } from "#types/record/image.ts";
import type { ImageTransferDependencies } from "./dependencies.ts";
import { documentLimitBytes } from "./service.ts";

/** The manifest that an image has here, if it is there and speaks of its layers. */
export async function storedManifest(
  { content }: Pick<ImageTransferDependencies, "content">,
  image: ImageRecord,
): Promise<{ readonly bytes: Uint8Array; readonly manifest: Manifest } | undefined> {
  if (!isDigest(image.manifestDigest) || !(await content.info(image.manifestDigest))) return undefined;
  const bytes = await content.read(image.manifestDigest, documentLimitBytes);
  const document = parseManifest(bytes, image.manifestMediaType);
  if (document.kind !== "manifest" || document.manifest.layers.length !== image.layers.length) return undefined;
  return { bytes, manifest: document.manifest };
}

/**
 * The manifest for layers as they were pushed: byte for byte the image's own when they are the same, else that one with other layers.
 * @param pushed  of the whole image, lowest first
 */
export async function manifestOf(
  deps: Pick<ImageTransferDependencies, "content">,
  image: ImageRecord,
  pushed: readonly ImageLayerRecord[],
): Promise<{ readonly mediaType: string; readonly bytes: Uint8Array }> {
  const stored = await storedManifest(deps, image);
  const isSame = stored?.manifest.layers.every(({ digest }, index) => digest === pushed[index]?.digest);
  if (stored && isSame) return { mediaType: image.manifestMediaType, bytes: stored.bytes };
  const config = stored?.manifest.config ?? (await configDescriptor(deps, image));
  const layers = pushed.map(({ digest, compressedBytes, mediaType }, index): Descriptor => {
    const before = stored?.manifest.layers[index];
    return before?.digest === digest ? before : { mediaType, digest, size: compressedBytes };
  });
  const mediaType = stored ? image.manifestMediaType : mediaTypes.ociManifest;
  return { mediaType, bytes: Buffer.from(JSON.stringify({ ...(stored?.manifest ?? { schemaVersion: 2, mediaType }), config, layers })) };
}

async function configDescriptor({ content }: Pick<ImageTransferDependencies, "content">, { id }: ImageRecord): Promise<Descriptor> {
  const { length } = await content.read(parseDigest(id), documentLimitBytes);
  return { mediaType: mediaTypes.ociConfig, digest: id, size: length };
}
