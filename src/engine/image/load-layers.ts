import { parseDigest } from "#lib/digest.ts";
import { EngineError } from "#lib/errors.ts";
import { mediaTypes, type Descriptor } from "#types/oci/image.ts";
import type { ImageArchive } from "./archive/image-archive.ts";
import type { PlannedImage, PlannedLayer } from "./archive/plan.ts";
import type { ImageTransferDependencies } from "./dependencies.ts";
import { importLayer } from "./import-layer.ts";
import type { ImageLease } from "./leases.ts";
import { layerProgress, type ReportProgress } from "./progress.ts";
import type { IncomingLayer } from "./store-image.ts";

export interface LayerLoad {
  readonly archive: ImageArchive;
  readonly image: PlannedImage;
  readonly lease: ImageLease;
  /** Undefined when nobody wants to see it. */
  readonly progress: ReportProgress | undefined;
}

/** What is read of a blob before another. */
const copyBytes = 1 << 18;
/** As Docker tells at first. */
const firstPieceBytes = 65536;

/**
 * Takes in the layers of one image straight from their places in the archive, each on top of the one before. Layers that exist are left as
 * they are. Only a compressed blob which the manifest names is copied to the content store: an uncompressed one is the layer's tar.
 */
export async function loadLayers(deps: ImageTransferDependencies, load: LayerLoad, signal: AbortSignal): Promise<IncomingLayer[]> {
  const loaded: IncomingLayer[] = [];
  for (const [index, layer] of load.image.layers.entries()) {
    signal.throwIfAborted();
    const descriptor = load.image.layout?.manifest.layers[index];
    load.lease.hold(layer.chainId);
    if (!(await deps.snapshots.hasLayer(layer.chainId))) await loadLayer(deps, load, layer, signal);
    if (descriptor) await keepBlob(deps, load, layer, descriptor, signal);
    loaded.push(await incoming(deps, layer, descriptor));
  }
  return loaded;
}

async function loadLayer(deps: ImageTransferDependencies, load: LayerLoad, layer: PlannedLayer, signal: AbortSignal): Promise<void> {
  const { archive, lease, progress } = load;
  const range = archive.range(layer.path);
  progress?.(layerProgress("Loading layer", layer.diffId, Math.min(firstPieceBytes, range.sizeBytes), range.sizeBytes));
  await importLayer(deps, { layer, lease, source: { path: archive.path, range } }, signal);
  progress?.(layerProgress("Loading layer", layer.diffId, range.sizeBytes, range.sizeBytes));
}

async function keepBlob(
  { content }: ImageTransferDependencies,
  { archive, lease }: LayerLoad,
  layer: PlannedLayer,
  { digest: named, size }: Descriptor,
  signal: AbortSignal,
): Promise<void> {
  const digest = parseDigest(named);
  if (digest === layer.diffId || !archive.has(layer.path)) return;
  lease.hold(digest);
  if (await content.info(digest)) return;
  const { offset, sizeBytes } = archive.range(layer.path);
  if (sizeBytes !== size) throw new EngineError("invalid", `invalid archive: blob ${digest} has another size than its descriptor`);
  lease.made(digest);
  await using writer = await content.writer();
  for (let at = 0; at < sizeBytes; at += copyBytes) {
    signal.throwIfAborted();
    await writer.write(await archive.read(offset + at, Math.min(copyBytes, sizeBytes - at)));
  }
  await writer.commit({ digest, sizeBytes });
}

async function incoming(
  { snapshots }: ImageTransferDependencies,
  { diffId, chainId, parents }: PlannedLayer,
  descriptor: Descriptor | undefined,
): Promise<IncomingLayer> {
  const place = { diffId, chainId, parents };
  if (descriptor)
    return { ...place, digest: parseDigest(descriptor.digest), compressedBytes: descriptor.size, mediaType: descriptor.mediaType };
  const tar = await snapshots.layerTar(diffId);
  return { ...place, digest: diffId, compressedBytes: tar?.sizeBytes ?? 0, mediaType: mediaTypes.ociLayer };
}
