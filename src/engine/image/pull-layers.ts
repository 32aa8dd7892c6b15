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
 * Brings the layers of an image into the snapshotter: downloads side by side, and imports, each begun as soon as its blob is there and the layer
 * below is being taken in. Layers that exist are left as they are. When it ends, nothing it began is running.
 */
export async function pullLayers(deps: PullDependencies, pull: LayerPull, signal: AbortSignal): Promise<void> {
  const missing = await announce(deps, pull);
  const failed = new AbortController();
  const either = AbortSignal.any([signal, failed.signal]);
  const limit = deps.maximumDownloads ?? defaultDownloads;
  const slots = new Semaphore(limit);
  const downloads = missing.map((layer, index) => {
    if (index >= limit) pull.progress(layerStatus("Waiting", layer.digest));
    return slots.run(() => download(deps, { pull, layer, slots }, either));
  });
  const extractions: Promise<void>[] = [];
  for (const running of downloads) running.catch((error: unknown) => failed.abort(error));
  try {
    for (const [index, layer] of missing.entries()) {
      await downloads[index];
      either.throwIfAborted();
      const below = extractions.at(-1) ?? Promise.resolve();
      const extraction = extract(deps, { pull, layer, below }, either);
      extraction.catch((error: unknown) => failed.abort(error));
      extractions.push(extraction);
    }
    await Promise.all(extractions);
  } catch (error) {
    failed.abort(error);
    throw signal.aborted ? signal.reason : failed.signal.reason; // the first failure, not what it led to
  } finally {
    await Promise.allSettled([...downloads, ...extractions]);
  }
}

/** Says of each layer whether it is there. @returns those that are not */
async function announce({ content, snapshots }: PullDependencies, { layers, lease, progress }: LayerPull): Promise<IncomingLayer[]> {
  const missing: IncomingLayer[] = [];
  for (const layer of layers) {
    lease.hold(layer.chainId);
    lease.hold(layer.digest);
    // A blob that was found damaged is fetched again, though its layer can do without.
    const isThere = (await snapshots.hasLayer(layer.chainId)) && !(await content.isQuarantined(layer.digest));
    progress(layerStatus(isThere ? "Already exists" : "Pulling fs layer", layer.digest));
    if (!isThere) missing.push(layer);
  }
  return missing;
}

interface LayerDownload {
  readonly pull: LayerPull;
  readonly layer: IncomingLayer;
  /** One connection each; those that no layer waits for help with a large one. */
  readonly slots: Semaphore;
}

/** Puts the layer's blob into the content store; pulls of the same blob at the same time share one download. */
async function download(deps: PullDependencies, { pull, layer, slots }: LayerDownload, signal: AbortSignal): Promise<void> {
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
            folder: await content.temporaryFolder(),
            spareConnection: () => slots.tryTake(),
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

interface LayerExtraction {
  readonly pull: LayerPull;
  readonly layer: IncomingLayer;
  /** The end of the extraction of the layer below. */
  readonly below: Promise<void>;
}

async function extract(deps: PullDependencies, { pull, layer, below }: LayerExtraction, signal: AbortSignal): Promise<void> {
  const { digest, compressedBytes } = layer;
  const { lease, progress } = pull;
  progress(layerProgress("Extracting", digest, Math.min(firstPieceBytes, compressedBytes), compressedBytes));
  const importing = importLayer(deps, { layer, lease, source: { path: deps.content.path(digest) } }, signal);
  await Promise.all([importing, below]); // each is told after the one below
  progress(layerProgress("Extracting", digest, compressedBytes, compressedBytes));
  progress(layerStatus("Pull complete", digest));
}
