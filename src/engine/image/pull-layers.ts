import type { RemoteRepository } from "#drivers/distribution/repository.ts";
import { Semaphore } from "#lib/async.ts";
import type { DownloadNews, PullDependencies } from "./dependencies.ts";
import { importLayer } from "./import-layer.ts";
import type { ImageLease } from "./leases.ts";
import { layerProgress, layerStatus, throttled, type ReportProgress } from "./progress.ts";
import type { IncomingLayer } from "./store-image.ts";

const defaultDownloads = 3;

export interface LayerPull {
  readonly repository: RemoteRepository;
  /** Lowest first. */
  readonly layers: readonly IncomingLayer[];
  readonly lease: ImageLease;
  readonly progress: ReportProgress;
}

/**
 * Brings the layers of an image into the snapshotter: downloads side by side, imports one after the other, each as soon as its blob and
 * the layers below are there. Layers that exist are left as they are. When it ends, nothing it began is running.
 */
export async function pullLayers(deps: PullDependencies, pull: LayerPull, signal: AbortSignal): Promise<void> {
  const missing = await announce(deps, pull);
  const failed = new AbortController();
  const either = AbortSignal.any([signal, failed.signal]);
  const limit = deps.maximumDownloads ?? defaultDownloads;
  const slots = new Semaphore(limit);
  const downloads = missing.map((layer, index) => {
    if (index >= limit) pull.progress(layerStatus("Waiting", layer.digest));
    return slots.run(() => download(deps, pull, layer, either));
  });
  for (const running of downloads) running.catch((error: unknown) => failed.abort(error));
  try {
    for (const [index, layer] of missing.entries()) {
      await downloads[index];
      await extract(deps, pull, layer, either);
    }
  } catch (error) {
    failed.abort(error);
    throw signal.aborted ? signal.reason : failed.signal.reason; // the first failure, not what it led to
  } finally {
    await Promise.allSettled(downloads);
  }
}

/** Says of each layer whether it is there. @returns those that are not */
async function announce({ snapshots }: PullDependencies, { layers, lease, progress }: LayerPull): Promise<IncomingLayer[]> {
  const missing: IncomingLayer[] = [];
  for (const layer of layers) {
    lease.hold(layer.chainId);
    lease.hold(layer.digest);
    const isThere = await snapshots.hasLayer(layer.chainId);
    progress(layerStatus(isThere ? "Already exists" : "Pulling fs layer", layer.digest));
    if (!isThere) missing.push(layer);
  }
  return missing;
}

/** Puts the layer's blob into the content store; pulls of the same blob at the same time share one download. */
async function download(deps: PullDependencies, pull: LayerPull, layer: IncomingLayer, signal: AbortSignal): Promise<void> {
  const { content, transfers } = deps;
  const { lease, progress, repository } = pull;
  const { digest, compressedBytes } = layer;
  signal.throwIfAborted();
  if (!(await content.info(digest))) {
    lease.made(digest);
    const onBytes = throttled(progress, "Downloading", digest, compressedBytes);
    await transfers.downloads.join(
      digest,
      async (jobSignal, tell) => {
        const path = await repository.blob(
          {
            digest,
            sizeBytes: compressedBytes,
            folder: content.temporary,
            onProgress: (receivedBytes) => tell({ receivedBytes }),
            onRetry: (milliseconds) => tell({ retrySeconds: Math.ceil(milliseconds / 1000) }),
          },
          jobSignal,
        );
        tell({ verifying: true });
        await content.adopt(path, { digest, sizeBytes: compressedBytes });
      },
      (news) => report(news, digest, progress, onBytes),
      signal,
    );
  }
  progress(layerStatus("Download complete", digest));
}

function report(news: DownloadNews, digest: string, progress: ReportProgress, onBytes: (current: number) => void): void {
  if ("receivedBytes" in news) return onBytes(news.receivedBytes);
  if ("verifying" in news) return progress(layerStatus("Verifying Checksum", digest));
  const { retrySeconds } = news;
  progress(layerStatus(`Retrying in ${retrySeconds} second${retrySeconds === 1 ? "" : "s"}`, digest));
}

/** What Docker reads, and tells of, at once. */
const firstPieceBytes = 65536;

async function extract(deps: PullDependencies, pull: LayerPull, layer: IncomingLayer, signal: AbortSignal): Promise<void> {
  const { digest, compressedBytes } = layer;
  const { lease, progress } = pull;
  progress(layerProgress("Extracting", digest, Math.min(firstPieceBytes, compressedBytes), compressedBytes));
  await importLayer(deps, { layer, lease, source: { path: deps.content.path(digest) } }, signal);
  progress(layerProgress("Extracting", digest, compressedBytes, compressedBytes));
  progress(layerStatus("Pull complete", digest));
}
