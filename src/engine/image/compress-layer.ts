import { open } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { digestHex, parseDigest, type Digest } from "#lib/digest.ts";
import { EngineError } from "#lib/errors.ts";
import { gzipBlockBytes, gzipInParallel } from "#lib/parallel-gzip.ts";
import { TemporaryFile } from "#lib/temporary-file.ts";
import { mediaTypes } from "#types/oci/image.ts";
import type { ImageLayerRecord } from "#types/record/image.ts";
import type { PushDependencies } from "./dependencies.ts";
import type { ImageLease } from "./leases.ts";

export interface CompressedBlob {
  readonly digest: Digest;
  readonly sizeBytes: number;
}

/** How far a compression is: of the tar, and in the file. */
export interface CompressionProgress {
  readonly readBytes: number;
  readonly path: string;
  readonly writtenBytes: number;
}

/** The blob is told of just before it is in the store: whoever wants it holds it by then. */
export type CompressionNews = CompressionProgress | { readonly blob: CompressedBlob };

/** The tar of a layer, and what is done with it. */
export interface LayerTar {
  readonly path: string;
  readonly sizeBytes: number;
}

/** @throws {EngineError} `internal` when it is not there */
export async function layerTar({ snapshots }: PushDependencies, layer: ImageLayerRecord): Promise<LayerTar> {
  const diffId = parseDigest(layer.diffId);
  const tar = await snapshots.layerTar(diffId);
  if (!tar) throw new EngineError("internal", `the archive of layer ${diffId} is missing or damaged: it cannot be pushed`);
  return tar;
}

/**
 * Compresses a layer of which only the tar is kept; the blob is in the content store afterwards, for the next push. Pushes of one layer at the
 * same time compress it once.
 * @returns the layer with its blob
 * @throws {EngineError} `internal` when the tar is damaged, `unavailable` when the disk is full
 */
export async function compressedLayer(
  deps: PushDependencies,
  layer: ImageLayerRecord,
  { tar, lease, onNews }: { readonly tar: LayerTar; readonly lease: ImageLease; readonly onNews: (news: CompressionNews) => void },
  signal: AbortSignal,
): Promise<ImageLayerRecord> {
  const diffId = parseDigest(layer.diffId);
  const blob = await deps.transfers.compressions.join(
    diffId,
    (jobSignal, tell) => compress(deps, { path: tar.path, diffId }, tell, jobSignal),
    (news) => {
      if ("blob" in news) lease.made(news.blob.digest);
      onNews(news);
    },
    signal,
  );
  lease.made(blob.digest);
  const isDocker = layer.mediaType.startsWith("application/vnd.docker.");
  const mediaType = isDocker ? mediaTypes.dockerLayerGzip : mediaTypes.ociLayerGzip;
  return { ...layer, digest: blob.digest, compressedBytes: blob.sizeBytes, mediaType };
}

async function compress(
  { content, transfers }: PushDependencies,
  { path, diffId }: { readonly path: string; readonly diffId: Digest },
  tell: (news: CompressionNews) => void,
  signal: AbortSignal,
): Promise<CompressedBlob> {
  await using file = await TemporaryFile.create(await content.temporaryFolder(), "compress-");
  const [input, output] = [new Bun.CryptoHasher(diffId.startsWith("sha512:") ? "sha512" : "sha256"), new Bun.CryptoHasher("sha256")];
  let readBytes = 0;
  const onBlock = (block: Uint8Array): void => {
    input.update(block);
    readBytes += block.length;
  };
  const options = { slots: transfers.compressionSlots, ahead: 2 * availableParallelism() };
  for await (const piece of gzipInParallel(blocksOf(path, onBlock, signal), options)) {
    output.update(piece);
    await file.write(piece);
    tell({ readBytes, path: file.path, writtenBytes: file.sizeBytes });
  }
  // A damaged layer must not become the content of a good digest.
  if (input.digest("hex") !== digestHex(diffId))
    throw new EngineError("internal", `layer ${diffId} is damaged: its archive has another digest`);
  const blob = { digest: parseDigest(`sha256:${output.digest("hex")}`), sizeBytes: file.sizeBytes };
  tell({ blob });
  await file.sync();
  signal.throwIfAborted();
  file.keep();
  await content.adopt(file.path, blob);
  return blob;
}

async function* blocksOf(path: string, onBlock: (block: Uint8Array) => void, signal: AbortSignal): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  await using file = await open(path, "r");
  for (let position = 0; ;) {
    signal.throwIfAborted();
    const buffer = Buffer.allocUnsafe(gzipBlockBytes);
    const { bytesRead } = await file.read(buffer, 0, buffer.length, position);
    if (bytesRead === 0) return;
    position += bytesRead;
    const block = buffer.subarray(0, bytesRead);
    onBlock(block);
    yield block;
  }
}
