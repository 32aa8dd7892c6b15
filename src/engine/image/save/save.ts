import { parseDigest, type Digest } from "#lib/digest.ts";
import { EngineError } from "#lib/errors.ts";
import { mediaTypes, type Descriptor } from "#types/oci/image.ts";
import type { ImageLayerRecord, ImageRecord } from "#types/record/image.ts";
import type { EventBus } from "../../event/bus.ts";
import type { ImageTransferDependencies } from "../dependencies.ts";
import type { ImageLease } from "../leases.ts";
import { makeManifest, type MadeManifest } from "../make-manifest.ts";
import { parsePlatformParameter } from "../platform.ts";
import { referrerDescriptor } from "../referrers/record.ts";
import { readdressed } from "../referrers/subject.ts";
import { documentLimitBytes } from "../service.ts";
import { archiveBytes, archiveStream, type ArchiveMember } from "./archive-stream.ts";
import { archiveDocuments, blobPath, type ArchivedImage } from "./documents.ts";
import { selectSaved, type SavedImage } from "./select.ts";

export type SaveDependencies = Pick<ImageTransferDependencies, "images" | "content" | "snapshots"> & { readonly events: EventBus };

export interface SaveRequest {
  readonly names: readonly string[];
  /** As the API's parameter holds them. */
  readonly platforms: readonly string[];
}

export interface SavedArchive {
  readonly sizeBytes: number;
  /** Must be read to its end, or given up by `return()`: the images' layers stay until then. */
  readonly body: AsyncGenerator<Uint8Array, void>;
}

/**
 * Images as one archive that every Docker loads and that is an OCI layout as well. A layer is written as it came where its compressed blob is
 * kept, else as its tar; what several images share is in it once.
 * @throws {EngineError} `not_found`, `invalid` with Docker's texts; `internal` when something of an image is missing
 */
export async function saveImages(deps: SaveDependencies, request: SaveRequest, signal: AbortSignal): Promise<SavedArchive> {
  const selected = selectSaved(deps.images, request.names, request.platforms.map(parsePlatformParameter));
  const lease = deps.images.leases.open();
  try {
    const blobs = new Map<Digest, ArchiveMember["content"]>();
    const images: ArchivedImage[] = [];
    for (const saved of selected) images.push(await archivedImage(deps, saved, blobs, lease));
    const members = membersOf(images, blobs);
    const folders = ["blobs", ...new Set(members.flatMap(({ path }) => /^blobs\/[^/]+(?=\/)/.exec(path) ?? []))];
    const body = stream();
    await body.next(); // begun, so that giving it up ends the lease
    return { sizeBytes: archiveBytes(folders, members), body };

    async function* stream(): AsyncGenerator<Uint8Array, void> {
      try {
        yield new Uint8Array(0);
        yield* archiveStream(folders, members, signal);
        for (const { image } of selected) deps.events.emit("image", "save", image.id, { ...deps.images.labels(image.id), name: image.id });
      } finally {
        await deps.images.release(lease);
      }
    }
  } catch (error) {
    await deps.images.release(lease);
    throw error;
  }
}

function membersOf(images: readonly ArchivedImage[], blobs: ReadonlyMap<Digest, ArchiveMember["content"]>): ArchiveMember[] {
  const files = [...blobs].map(([digest, content]) => ({ path: blobPath(digest), content }));
  files.sort((a, b) => (a.path < b.path ? -1 : 1));
  return [...files, ...[...archiveDocuments(images)].map(([path, text]) => ({ path, content: Buffer.from(text) }))];
}

/** Puts what an image is made of into `blobs`. */
async function archivedImage(
  deps: SaveDependencies,
  { image, tags }: SavedImage,
  blobs: Map<Digest, ArchiveMember["content"]>,
  lease: ImageLease,
): Promise<ArchivedImage> {
  const id = parseDigest(image.id);
  for (const name of [image.id, image.manifestDigest, ...image.layers.flatMap(({ digest, chainId }) => [digest, chainId])])
    lease.hold(name);
  const configBytes = await deps.content.read(id, documentLimitBytes);
  const layers: ArchivedImage["layers"][number][] = [];
  for (const layer of image.layers) {
    const { blob, content } = await layerBlob(deps, layer);
    blobs.set(blob.digest, content);
    layers.push({ diffId: parseDigest(layer.diffId), blob });
  }
  const manifest = await manifestOf(deps, image, layers, configBytes);
  blobs.set(id, configBytes);
  blobs.set(manifest.digest, manifest.bytes);
  const descriptor = { mediaType: manifest.mediaType, digest: manifest.digest, size: manifest.bytes.length };
  const referrers = await archivedReferrers(deps, { image, manifest: descriptor, lease }, blobs);
  return { config: id, manifest: descriptor, layers, tags, referrers };
}

/** Puts the artifacts that refer to the manifest as it is saved into `blobs`. */
async function archivedReferrers(
  { content }: SaveDependencies,
  { image, manifest, lease }: { readonly image: ImageRecord; readonly manifest: Descriptor; readonly lease: ImageLease },
  blobs: Map<Digest, ArchiveMember["content"]>,
): Promise<Descriptor[]> {
  const archived: Descriptor[] = [];
  for (const referrer of image.referrers ?? []) {
    for (const digest of [referrer.digest, ...referrer.blobs.map((blob) => blob.digest)]) lease.hold(digest);
    const saved = referrer.subject === image.manifestDigest ? await readdressed({ content, lease }, referrer, manifest) : undefined;
    if (!saved) continue;
    const digest = parseDigest(saved.digest);
    blobs.set(digest, await content.read(digest, documentLimitBytes));
    for (const blob of saved.blobs) {
      const name = parseDigest(blob.digest);
      blobs.set(name, { file: content.path(name), sizeBytes: blob.sizeBytes });
    }
    archived.push(referrerDescriptor(saved));
  }
  return archived;
}

interface LayerBlob {
  readonly blob: Descriptor & { readonly digest: Digest };
  readonly content: { readonly file: string; readonly sizeBytes: number };
}

async function layerBlob({ content, snapshots }: SaveDependencies, layer: ImageLayerRecord): Promise<LayerBlob> {
  const digest = parseDigest(layer.digest);
  const kept = layer.digest === layer.diffId ? undefined : await content.info(digest);
  if (kept) {
    const blob = { mediaType: layer.mediaType, digest, size: kept.sizeBytes };
    return { blob, content: { file: content.path(digest), sizeBytes: kept.sizeBytes } };
  }
  const diffId = parseDigest(layer.diffId);
  const tar = await snapshots.layerTar(diffId);
  if (!tar) throw new EngineError("internal", `the archive of layer ${diffId} is missing or damaged: the image cannot be saved`);
  const mediaType = layer.digest === layer.diffId ? layer.mediaType : mediaTypes.ociLayer;
  return { blob: { mediaType, digest: diffId, size: tar.sizeBytes }, content: { file: tar.path, sizeBytes: tar.sizeBytes } };
}

/** The one that the image came with, as long as it names the layers as they are saved. */
async function manifestOf(
  { content }: SaveDependencies,
  { id, layers: recorded, manifestDigest, manifestMediaType: mediaType }: ImageRecord,
  layers: ArchivedImage["layers"],
  configBytes: Uint8Array,
): Promise<MadeManifest> {
  const digest = parseDigest(manifestDigest);
  const isAsItCame = recorded.every((layer, index) => layer.digest === layers[index]?.blob.digest);
  if (isAsItCame && (await content.info(digest))) return { digest, mediaType, bytes: await content.read(digest, documentLimitBytes) };
  const named = layers.map(({ blob }) => ({ mediaType: blob.mediaType, digest: blob.digest, compressedBytes: blob.size }));
  return makeManifest({ id: parseDigest(id), bytes: configBytes }, named);
}
