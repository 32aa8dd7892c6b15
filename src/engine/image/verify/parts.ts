import type { ContentStore } from "#drivers/content/types.ts";
import type { Snapshotter } from "#drivers/snapshot/types.ts";
import { isDigest, parseDigest, type Digest } from "#lib/digest.ts";
import type { ImageRecord } from "#types/record/image.ts";
import type { Damage } from "./report.ts";

/** A piece of an image's content, which other images may have too. */
export interface BlobPart {
  readonly type: "blob";
  readonly digest: Digest;
  readonly sizeBytes: number;
}

export interface LayerPart {
  readonly type: "layer";
  readonly chainId: Digest;
  readonly sizeBytes: number;
}

export type Part = BlobPart | LayerPart;

/** Its key among all parts: a layer's chain id may be a blob's digest as well. */
export const keyOf = (part: Part): string => (part.type === "layer" ? `layer ${part.chainId}` : `blob ${part.digest}`);

/** What is on disk of an image, and what should be and is not. */
export interface ImageParts {
  readonly parts: readonly Part[];
  readonly damages: readonly Damage[];
}

export interface Stores {
  readonly content: ContentStore;
  readonly snapshots: Snapshotter;
}

/**
 * Finds what an image is made of.
 * @param known.targets  what its names stand for: manifests, and indexes
 * @param known.present  chain ids of all layers that there are
 */
export async function partsOf(
  image: ImageRecord,
  { targets, present }: { readonly targets: readonly string[]; readonly present: ReadonlySet<string> },
  { content, snapshots }: Stores,
): Promise<ImageParts> {
  const parts: Part[] = [];
  const damages: Damage[] = [];
  for (const [object, digest] of blobsOf(image, targets)) {
    const found = await content.info(digest);
    if (found) parts.push({ type: "blob", ...found });
    else if (await content.isQuarantined(digest)) damages.push(setAside(object, digest, content));
    // Of a compressed layer the archive is enough: its blob is there when it came with the layer. Indexes were not always kept.
    else if (object === "config" || object === "manifest")
      damages.push({ object, digest, state: "missing", reason: "it is missing", file: content.path(digest) });
  }
  for (const { chainId, diffId, sizeBytes } of image.layers) {
    const layer = parseDigest(chainId);
    if (present.has(chainId)) parts.push({ type: "layer", chainId: layer, sizeBytes });
    else damages.push({ object: "layer", digest: diffId, state: "missing", reason: "it is missing", file: snapshots.layerFolder(layer) });
  }
  return { parts, damages };
}

/** What no image names: layers of containers whose image was removed, transfers under way, and what nobody needs. */
export async function strayParts(
  { images, targets }: { readonly images: readonly ImageRecord[]; readonly targets: readonly string[] },
  present: ReadonlySet<string>,
  { content, snapshots }: Stores,
): Promise<Part[]> {
  const layers = new Set(images.flatMap((image) => image.layers.map(({ chainId }) => chainId)));
  const blobs = new Set<string>([...targets, ...images.flatMap((image) => blobsOf(image).map(([, digest]) => digest))]);
  const strays: Part[] = [];
  for (const chainId of present)
    if (!layers.has(chainId))
      strays.push({ type: "layer", chainId: parseDigest(chainId), sizeBytes: snapshots.layerBytes(parseDigest(chainId)) });
  for await (const blob of content.list()) if (!blobs.has(blob.digest)) strays.push({ type: "blob", ...blob });
  return strays;
}

/** Blobs that an image names, and what they are: also those of artifacts that refer to it. */
export function blobsOf(
  { id, manifestDigest, layers, referrers = [] }: ImageRecord,
  targets: readonly string[] = [],
): readonly (readonly ["config" | "manifest" | "index" | "blob" | "artifact", Digest])[] {
  const ofLayers = layers.filter(({ digest, diffId }) => digest !== diffId).map(({ digest }) => ["blob", digest] as const);
  const indexes = targets.map((digest) => ["index", digest] as const);
  // What is named twice is the last of these: a target that is the manifest is no index.
  const ofArtifacts = referrers.flatMap(({ digest, blobs }) => [{ digest }, ...blobs].map((blob) => ["artifact", blob.digest] as const));
  const named = [...ofArtifacts, ...ofLayers, ...indexes, ["manifest", manifestDigest] as const, ["config", id] as const];
  return [...new Map(named.map(([object, digest]) => [digest, object]))].flatMap(([digest, object]) =>
    isDigest(digest) ? [[object, digest] as const] : [],
  );
}

function setAside(object: Damage["object"], digest: Digest, content: ContentStore): Damage {
  return { object, digest, state: "damaged", reason: "it was found damaged before, and is set aside", file: content.path(digest) };
}
