import { availableParallelism } from "node:os";
import type { ContentStore } from "#drivers/content/types.ts";
import type { RegistryClient } from "#drivers/distribution/client.ts";
import type { ImportedLayer, Snapshotter } from "#drivers/snapshot/types.ts";
import { Semaphore } from "#lib/async.ts";
import type { EventBus } from "../event/bus.ts";
import type { CompressedBlob, CompressionNews } from "./compress-layer.ts";
import { SharedWork } from "./shared-work.ts";
import type { ImageService } from "./service.ts";

/** What is fetched, taken in and compressed right now, for all pulls, loads and pushes together: one of these for a daemon. */
export class LayerTransfers {
  /** By digest of the blob; news are bytes received and waits before another try. */
  readonly downloads = new SharedWork<void, DownloadNews>();
  /** By chain id. */
  readonly imports = new SharedWork<ImportedLayer>();
  /** By diff id. */
  readonly compressions = new SharedWork<CompressedBlob, CompressionNews>();
  /** Blocks that are compressed at once, for all layers: more than there are processors would only wait. */
  readonly compressionSlots = new Semaphore(availableParallelism());
}

export type DownloadNews = { readonly receivedBytes: number } | { readonly retrySeconds: number } | { readonly verifying: true };

/** What taking in images needs. */
export interface ImageTransferDependencies {
  readonly images: ImageService;
  readonly content: ContentStore;
  readonly snapshots: Snapshotter;
  readonly transfers: LayerTransfers;
}

/** What a pull needs. */
export interface PullDependencies extends ImageTransferDependencies {
  readonly registries: RegistryClient;
  /** Downloads at once in one pull (`max-concurrent-downloads`); 3 when absent. */
  readonly maximumDownloads?: number;
}

/** What a push needs. */
export interface PushDependencies extends ImageTransferDependencies {
  readonly registries: RegistryClient;
  readonly events: EventBus;
  /** Uploads at once in one push (`max-concurrent-uploads`); 5 when absent. */
  readonly maximumUploads?: number;
}
