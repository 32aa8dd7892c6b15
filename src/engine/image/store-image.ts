import type { ContentStore } from "#drivers/content/types.ts";
import { parseDigest, type Digest } from "#lib/digest.ts";
import { EngineError } from "#lib/errors.ts";
import type { ImageConfig } from "#types/oci/image.ts";
import type { ImageLayerRecord, ImageRecord } from "#types/record/image.ts";
import type { ImageTransferDependencies } from "./dependencies.ts";
import type { ImageLease } from "./leases.ts";

/** A layer of an image on its way in: where it stands, and what its descriptor said. */
export interface IncomingLayer {
  readonly diffId: Digest;
  readonly chainId: Digest;
  /** Diff ids of the layers below, lowest first. */
  readonly parents: readonly Digest[];
  /** Blob as its source has it. */
  readonly digest: Digest;
  readonly compressedBytes: number;
  readonly mediaType: string;
}

/** Keeps the index that a name is to stand for: it says for which other platforms the image is there. */
export async function storeIndex(
  { content, images }: Pick<ImageTransferDependencies, "content" | "images">,
  lease: ImageLease,
  digest: Digest,
  bytes: Uint8Array,
): Promise<void> {
  await storeBlob(content, lease, digest, bytes);
  images.indexes.put(digest, bytes);
}

export interface IncomingImage {
  readonly id: Digest;
  readonly config: ImageConfig;
  readonly manifestDigest: Digest;
  readonly manifestMediaType: string;
  readonly layers: readonly IncomingLayer[];
}

/** Puts a small blob into the store, for as long as the lease lasts or an image names it. */
export async function storeBlob(content: ContentStore, lease: ImageLease, digest: Digest, bytes: Uint8Array): Promise<void> {
  lease.hold(digest);
  if (await isReadable(content, digest, bytes.length)) return;
  lease.made(digest);
  await using writer = await content.writer();
  await writer.write(bytes);
  await writer.commit({ digest, sizeBytes: bytes.length });
}

/** Small blobs are read when they come again: one that is damaged is written anew. */
async function isReadable(content: ContentStore, digest: Digest, sizeBytes: number): Promise<boolean> {
  return content.read(digest, sizeBytes).then(
    () => true,
    () => false,
  );
}

/** Keeps what an image that is known already is made of, should it be removed meanwhile. */
export function holdKnown({ images }: ImageTransferDependencies, lease: ImageLease, id: Digest): void {
  const known = images.peek(id);
  if (!known) return;
  // What the image comes to have no more goes.
  for (const { digest } of known.layers) lease.made(digest);
  lease.made(known.manifestDigest);
}

/**
 * The record of an image whose layers are all in place. One that is known stays as it is: its blobs are those of its own manifest. But one that
 * has no blobs, only the tars of its layers, takes over the digests of what comes with some: a push will find them in the registry. So does one
 * whose manifest is not there any more, or damaged.
 * @throws {EngineError} `conflict` when a layer is missing after all: somebody removed it by hand
 */
export async function imageRecord(deps: ImageTransferDependencies, image: IncomingImage): Promise<ImageRecord> {
  const layers: ImageLayerRecord[] = [];
  for (const { diffId, chainId, digest, compressedBytes, mediaType } of image.layers) {
    if (!(await deps.snapshots.hasLayer(chainId))) throw new EngineError("conflict", `layer ${chainId} has been removed meanwhile`);
    const sizeBytes = await layerSize(deps, diffId, chainId);
    layers.push({ diffId, chainId, sizeBytes, digest, compressedBytes, mediaType });
  }
  const known = deps.images.peek(image.id);
  const isKept = known && (hasBlobs(known.layers) || !hasBlobs(image.layers));
  if (isKept && (await deps.content.info(parseDigest(known.manifestDigest)))) return known;
  const { architecture, os, variant, created } = image.config;
  return {
    id: image.id,
    manifestDigest: image.manifestDigest,
    manifestMediaType: image.manifestMediaType,
    layers,
    architecture,
    os,
    ...(variant !== undefined && { variant }),
    ...(created !== undefined && { createdAt: created }),
    sizeBytes: layers.reduce((sum, layer) => sum + layer.sizeBytes, 0),
  };
}

function hasBlobs(layers: readonly { readonly digest: string; readonly diffId: string }[]): boolean {
  return layers.some(({ digest, diffId }) => digest !== diffId);
}

/** Uncompressed bytes: from the layer's tar, or where none is kept from an image that has the layer. */
async function layerSize({ snapshots, images }: ImageTransferDependencies, diffId: Digest, chainId: Digest): Promise<number> {
  const tar = await snapshots.layerTar(diffId);
  if (tar) return tar.sizeBytes;
  const known = images.list().flatMap((image) => image.layers);
  return known.find((layer) => layer.chainId === chainId)?.sizeBytes ?? 0;
}
