import { stat } from "node:fs/promises";
import type { ImportedLayer } from "#drivers/snapshot/types.ts";
import { syncFile } from "#lib/disk.ts";
import { parseDigest, type Digest } from "#lib/digest.ts";
import { EngineError } from "#lib/errors.ts";
import { mediaTypes, type Descriptor } from "#types/oci/image.ts";
import type { ImageArchive } from "./archive/image-archive.ts";
import type { PlannedImage, PlannedLayer } from "./archive/plan.ts";
import type { ImageTransferDependencies } from "./dependencies.ts";
import type { EarlyLayers } from "./early-layers.ts";
import { importLayer, layerFailure, type LayerFile } from "./import-layer.ts";
import type { ImageLease } from "./leases.ts";
import { layerProgress, type ReportProgress } from "./progress.ts";
import type { IncomingLayer } from "./store-image.ts";

export interface LayerLoad {
  readonly archive: ImageArchive;
  readonly early: EarlyLayers;
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
 * Takes in the layers of one image straight from where the archive's files were put, side by side, and tells of them in their order. Layers
 * that exist are left as they are. Only a compressed blob which the manifest names is kept beside its layer: an uncompressed one is the
 * layer's tar. When it ends, nothing it began is running.
 */
export async function loadLayers(deps: ImageTransferDependencies, load: LayerLoad, signal: AbortSignal): Promise<IncomingLayer[]> {
  const failed = new AbortController();
  const either = AbortSignal.any([signal, failed.signal]);
  const imports = await beginImports(deps, load, either);
  for (const { done } of imports.values()) done.catch((error: unknown) => failed.abort(error));
  const loaded: IncomingLayer[] = [];
  try {
    for (const [index, layer] of load.image.layers.entries()) {
      const running = imports.get(layer.chainId);
      const read = running && (await told(load, layer, running));
      const descriptor = load.image.layout?.manifest.layers[index];
      if (descriptor) await keepBlob(deps, load, { layer, descriptor, read }, either);
      loaded.push(await incoming(deps, layer, descriptor));
    }
    return loaded;
  } catch (error) {
    failed.abort(error);
    throw signal.aborted ? signal.reason : failed.signal.reason; // the first failure, not what it led to
  } finally {
    await Promise.allSettled([...imports.values()].map(({ done }) => done));
  }
}

interface RunningImport {
  readonly done: Promise<ImportedLayer>;
}

/** Of the layers that are missing, by chain id. */
async function beginImports(
  deps: ImageTransferDependencies,
  load: LayerLoad,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, RunningImport>> {
  const imports = new Map<string, RunningImport>();
  // A layer can be taken in when the one below is being taken in.
  let below: Promise<unknown> = Promise.resolve();
  for (const layer of load.image.layers) {
    load.lease.hold(layer.chainId);
    if (await deps.snapshots.hasLayer(layer.chainId)) continue;
    const begun = below.then(() => beginImport(deps, load, layer, signal));
    below = begun;
    imports.set(layer.chainId, { done: begun.then(({ done }) => done) });
  }
  return imports;
}

async function beginImport(
  deps: ImageTransferDependencies,
  load: LayerLoad,
  layer: PlannedLayer,
  signal: AbortSignal,
): Promise<RunningImport> {
  signal.throwIfAborted();
  try {
    const source = await sourceOf(deps, load, layer);
    return { done: takeIn(deps, load.lease, layer, source, signal) };
  } catch (error) {
    throw layerFailure(error, signal);
  }
}

async function takeIn(
  deps: ImageTransferDependencies,
  lease: ImageLease,
  layer: PlannedLayer,
  source: LayerFile,
  signal: AbortSignal,
): Promise<ImportedLayer> {
  await using _unlessTaken = source.staged;
  return await importLayer(deps, { layer, lease, source }, signal);
}

async function sourceOf({ snapshots }: ImageTransferDependencies, { archive, early }: LayerLoad, layer: PlannedLayer): Promise<LayerFile> {
  const { path, offset, sizeBytes } = archive.range(layer.path);
  if (offset !== undefined) return { path, range: { offset, sizeBytes } };
  const staged = await early.take(path);
  if (staged) return { path, staged };
  if (await isThere(path)) return { path };
  // Another image of the archive has the same layer, on others.
  const tar = await snapshots.layerTar(layer.diffId);
  if (!tar) throw new EngineError("conflict", `layer ${layer.chainId} has been removed meanwhile`);
  return { path: tar.path, range: { offset: 0, sizeBytes: tar.sizeBytes } };
}

async function isThere(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

async function told({ archive, progress }: LayerLoad, layer: PlannedLayer, { done }: RunningImport): Promise<ImportedLayer> {
  const { sizeBytes } = archive.range(layer.path);
  progress?.(layerProgress("Loading layer", layer.diffId, Math.min(firstPieceBytes, sizeBytes), sizeBytes));
  const read = await done;
  progress?.(layerProgress("Loading layer", layer.diffId, sizeBytes, sizeBytes));
  return read;
}

interface KeptLayer {
  readonly layer: PlannedLayer;
  readonly descriptor: Descriptor;
  /** What was read for it, unless the layer was there. */
  readonly read: ImportedLayer | undefined;
}

async function keepBlob(
  { content }: ImageTransferDependencies,
  { archive, lease }: LayerLoad,
  { layer, descriptor, read }: KeptLayer,
  signal: AbortSignal,
): Promise<void> {
  const digest = parseDigest(descriptor.digest);
  if (digest === layer.diffId || !archive.has(layer.path)) return;
  lease.hold(digest);
  if (await content.info(digest)) return;
  const { path, offset, sizeBytes } = archive.range(layer.path);
  if (sizeBytes !== descriptor.size)
    throw new EngineError("invalid", `invalid archive: blob ${digest} has another size than its descriptor`);
  lease.made(digest);
  if (offset === undefined && read?.digest === digest) {
    await syncFile(path);
    await content.adopt(path, { digest, sizeBytes });
  } else {
    await copyBlob(content, { path, offset: offset ?? 0, sizeBytes }, digest, signal);
  }
}

async function copyBlob(
  content: ImageTransferDependencies["content"],
  { path, offset, sizeBytes }: { readonly path: string; readonly offset: number; readonly sizeBytes: number },
  digest: Digest,
  signal: AbortSignal,
): Promise<void> {
  const file = Bun.file(path);
  await using writer = await content.writer();
  for (let at = 0; at < sizeBytes; at += copyBytes) {
    signal.throwIfAborted();
    const end = Math.min(at + copyBytes, sizeBytes);
    await writer.write(await file.slice(offset + at, offset + end).bytes());
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
