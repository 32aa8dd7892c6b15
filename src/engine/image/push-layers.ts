import type { PushTarget } from "#drivers/distribution/push-target.ts";
import { UploadSource } from "#drivers/distribution/upload-source.ts";
import { Semaphore } from "#lib/async.ts";
import { parseDigest, type Digest } from "#lib/digest.ts";
import type { Reference } from "#lib/reference.ts";
import type { Manifest } from "#types/oci/image.ts";
import type { ImageLayerRecord, ImageRecord } from "#types/record/image.ts";
import { compressedLayer, layerTar, type CompressionNews, type CompressionProgress, type LayerTar } from "./compress-layer.ts";
import type { PushDependencies } from "./dependencies.ts";
import type { ImageLease } from "./leases.ts";
import { mountSources } from "./mount-sources.ts";
import { layerStatus, throttled, type ReportProgress } from "./progress.ts";
import { storedManifest } from "./push-manifest.ts";

const defaultUploads = 5;
/** Tars that are smaller are compressed before the registry is asked: it may have the blob already. */
const sentWhileCompressedFromBytes = 8 << 20;
/** Repositories that are asked to lend one blob. */
const maximumMounts = 3;

export interface LayerPushOptions {
  readonly target: PushTarget;
  readonly reference: Reference;
  readonly progress: ReportProgress;
}

/** The layers of one push, of all its tags: each goes to the registry once. */
export class LayerPush {
  readonly #deps: PushDependencies;
  readonly #options: LayerPushOptions;
  readonly #signal: AbortSignal;
  readonly #slots: Semaphore;
  readonly #limit: number;
  /** What the registry has for certain, by diff id. */
  readonly #done = new Map<string, ImageLayerRecord>();

  constructor(deps: PushDependencies, options: LayerPushOptions, signal: AbortSignal) {
    this.#deps = deps;
    this.#options = options;
    this.#signal = signal;
    this.#limit = deps.maximumUploads ?? defaultUploads;
    this.#slots = new Semaphore(this.#limit);
  }

  /**
   * Brings an image's layers to the registry, side by side; when it ends, nothing it began is running.
   * @returns the layers as the registry has them, lowest first
   */
  async push(image: ImageRecord, lease: ImageLease): Promise<ImageLayerRecord[]> {
    const manifest = (await storedManifest(this.#deps, image))?.manifest;
    const failed = new AbortController();
    const signal = AbortSignal.any([this.#signal, failed.signal]);
    // As Docker goes through them: the top first.
    const order = [...image.layers.entries()].reverse();
    const running = new Map<string, Promise<ImageLayerRecord>>();
    for (const [, { diffId, chainId }] of order) {
      lease.hold(chainId);
      this.#options.progress(layerStatus("Preparing", diffId));
    }
    for (const [index, layer] of order) {
      if (running.has(layer.diffId)) continue;
      if (running.size >= this.#limit) this.#options.progress(layerStatus("Waiting", layer.diffId));
      const one = new OneLayer(this.#deps, { ...this.#options, lease, layer, isForeign: isForeign(manifest, index) });
      const pushing = this.#slots.run(() => this.#once(layer, () => one.push(signal)));
      pushing.catch((error: unknown) => failed.abort(error));
      running.set(layer.diffId, pushing);
    }
    await Promise.allSettled(running.values());
    this.#signal.throwIfAborted();
    if (failed.signal.aborted) throw failed.signal.reason; // the first failure, not what it led to
    const pushed: ImageLayerRecord[] = [];
    for (const layer of image.layers) pushed.push({ ...layer, ...transferOf((await running.get(layer.diffId)) ?? layer) });
    return pushed;
  }

  async #once(layer: ImageLayerRecord, push: () => Promise<ImageLayerRecord>): Promise<ImageLayerRecord> {
    const known = this.#done.get(layer.diffId);
    if (known) {
      this.#options.progress(layerStatus("Layer already exists", layer.diffId));
      return known;
    }
    const pushed = await push();
    this.#done.set(layer.diffId, pushed);
    return pushed;
  }
}

/** What differs when the same layer lies in another image. */
function transferOf({ digest, compressedBytes, mediaType }: ImageLayerRecord): Omit<ImageLayerRecord, "diffId" | "chainId" | "sizeBytes"> {
  return { digest, compressedBytes, mediaType };
}

/** Only its owner may hand it out: a registry has the reference alone. */
function isForeign(manifest: Manifest | undefined, index: number): boolean {
  return (manifest?.layers[index]?.urls?.length ?? 0) > 0;
}

interface OneLayerOptions extends LayerPushOptions {
  readonly lease: ImageLease;
  readonly layer: ImageLayerRecord;
  readonly isForeign: boolean;
}

/** Where a mount has begun an upload, its location is the one to use. */
type Presence = { readonly isThere: true } | { readonly isThere: false; readonly location: string | undefined };

/** How much of a layer has been pushed, told in bytes of its tar, as Docker does. */
class PushedPart {
  readonly #report: (current: number) => void;
  #compression = { readBytes: 0, writtenBytes: 0 };

  constructor(report: (current: number) => void) {
    this.#report = report;
  }

  compressed({ readBytes, writtenBytes }: CompressionProgress): void {
    this.#compression = { readBytes, writtenBytes };
  }

  sent(bytes: number): void {
    const { readBytes, writtenBytes } = this.#compression;
    this.#report(writtenBytes > 0 ? Math.round((readBytes * bytes) / writtenBytes) : readBytes);
  }
}

class OneLayer {
  readonly #deps: PushDependencies;
  readonly #options: OneLayerOptions;

  constructor(deps: PushDependencies, options: OneLayerOptions) {
    this.#deps = deps;
    this.#options = options;
  }

  async push(signal: AbortSignal): Promise<ImageLayerRecord> {
    signal.throwIfAborted();
    if (this.#options.isForeign) {
      this.#tell("Skipped foreign layer");
      return this.#options.layer;
    }
    const layer = await this.#candidate();
    const digest = parseDigest(layer.digest);
    if (layer.digest !== layer.diffId || (await this.#deps.content.info(digest))) {
      const presence = await this.#presence(digest, signal);
      if (presence.isThere) return layer;
      if (await this.#deps.content.info(digest)) return this.#upload(layer, presence.location, signal);
      if (presence.location !== undefined) await this.#options.target.cancel(presence.location);
    }
    const tar = await layerTar(this.#deps, layer);
    return tar.sizeBytes < sentWhileCompressedFromBytes ? this.#compressThenUpload(tar, signal) : this.#uploadCompressing(tar, signal);
  }

  async #compressThenUpload(tar: LayerTar, signal: AbortSignal): Promise<ImageLayerRecord> {
    const { layer, lease, progress } = this.#options;
    const onRead = throttled(progress, "Preparing", layer.diffId, tar.sizeBytes);
    const onNews = (news: CompressionNews): void => ("readBytes" in news ? onRead(news.readBytes) : undefined);
    const compressed = await compressedLayer(this.#deps, layer, { tar, lease, onNews }, signal);
    const presence = await this.#presence(parseDigest(compressed.digest), signal);
    return presence.isThere ? compressed : this.#upload(compressed, presence.location, signal);
  }

  /** Nobody knows yet what the blob will be called: it is sent as it is written, and named at the end. */
  async #uploadCompressing(tar: LayerTar, signal: AbortSignal): Promise<ImageLayerRecord> {
    const { layer, lease, target, progress } = this.#options;
    const source = new UploadSource();
    const failed = new AbortController();
    const either = AbortSignal.any([signal, failed.signal]);
    const pushed = new PushedPart(throttled(progress, "Pushing", layer.diffId, tar.sizeBytes));
    const onNews = (news: CompressionNews): void => {
      if ("blob" in news) return source.finish(this.#deps.content.path(news.blob.digest), news.blob);
      pushed.compressed(news);
      source.wrote(news.path, news.writtenBytes);
    };
    const compressing = compressedLayer(this.#deps, layer, { tar, lease, onNews }, either);
    compressing.then(
      ({ digest, compressedBytes }) => {
        const name = parseDigest(digest);
        source.finish(this.#deps.content.path(name), { digest: name, sizeBytes: compressedBytes });
      },
      (error: unknown) => source.fail(error),
    );
    const uploading = target.upload({ source, onProgress: (bytes) => pushed.sent(bytes), onRetry: this.#onRetry }, either);
    for (const half of [compressing, uploading]) half.catch((error: unknown) => failed.abort(error));
    await Promise.allSettled([compressing, uploading]);
    signal.throwIfAborted();
    if (failed.signal.aborted) throw failed.signal.reason; // the first failure, not what it led to
    this.#tell("Pushed");
    return compressing;
  }

  /** The blob as it came with this image, or with another one that has the same layer. */
  async #candidate(): Promise<ImageLayerRecord> {
    const { layer, lease } = this.#options;
    const { content, images } = this.#deps;
    lease.hold(layer.digest);
    if (await content.info(parseDigest(layer.digest))) return layer;
    const others = images.list().flatMap(({ layers }) => layers.filter(({ diffId }) => diffId === layer.diffId));
    for (const other of others) {
      lease.hold(other.digest);
      if (await content.info(parseDigest(other.digest))) return { ...layer, ...transferOf(other) };
    }
    return layer;
  }

  /** Looks for a blob in the repository, then has it mounted from another that may have it. */
  async #presence(digest: Digest, signal: AbortSignal): Promise<Presence> {
    const { target, reference } = this.#options;
    if (await target.hasBlob(digest, signal)) {
      this.#tell("Layer already exists");
      return { isThere: true };
    }
    let location: string | undefined;
    for (const from of mountSources(this.#deps.images, reference, digest).slice(0, maximumMounts)) {
      const result = await target.mount(digest, from, signal);
      if (location !== undefined) await target.cancel(location);
      location = undefined;
      if (result.type === "mounted") {
        this.#tell(`Mounted from ${from}`);
        return { isThere: true };
      }
      if (result.type === "begun") location = result.location;
    }
    return { isThere: false, location };
  }

  async #upload(layer: ImageLayerRecord, location: string | undefined, signal: AbortSignal): Promise<ImageLayerRecord> {
    const { target, progress } = this.#options;
    const { content } = this.#deps;
    const digest = parseDigest(layer.digest);
    const sizeBytes = (await content.info(digest))?.sizeBytes ?? layer.compressedBytes;
    const onProgress = throttled(progress, "Pushing", layer.diffId, sizeBytes);
    const source = UploadSource.whole(content.path(digest), { digest, sizeBytes });
    await target.upload({ source, location, onProgress, onRetry: this.#onRetry }, signal);
    this.#tell("Pushed");
    return layer;
  }

  readonly #onRetry = (milliseconds: number): void => {
    const seconds = Math.ceil(milliseconds / 1000);
    this.#tell(`Retrying in ${seconds} second${seconds === 1 ? "" : "s"}`);
  };

  #tell(status: string): void {
    this.#options.progress(layerStatus(status, this.#options.layer.diffId));
  }
}
