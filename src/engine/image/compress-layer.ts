import { open } from "node:fs/promises";
import { createGzip } from "node:zlib";
import { digestHex, parseDigest, type Digest } from "#lib/digest.ts";
import { EngineError } from "#lib/errors.ts";
import { TemporaryFile } from "#lib/temporary-file.ts";
import { mediaTypes } from "#types/oci/image.ts";
import type { ImageLayerRecord } from "#types/record/image.ts";
import type { PushDependencies } from "./dependencies.ts";
import type { ImageLease } from "./leases.ts";
import { throttled, type ReportProgress } from "./progress.ts";

/** What is read of a tar before another. */
const readBytes = 1 << 18;

/**
 * Compresses a layer of which only the tar is kept; the blob is in the content store afterwards, for the next push. Pushes of one layer at the
 * same time compress it once.
 * @returns the layer with its blob
 * @throws {EngineError} `internal` when the tar is not there or damaged, `unavailable` when the disk is full
 */
export async function compressedLayer(
  deps: PushDependencies,
  layer: ImageLayerRecord,
  { lease, progress }: { readonly lease: ImageLease; readonly progress: ReportProgress },
  signal: AbortSignal,
): Promise<ImageLayerRecord> {
  const diffId = parseDigest(layer.diffId);
  const tar = await deps.snapshots.layerTar(diffId);
  if (!tar) throw new EngineError("internal", `the archive of layer ${diffId} is not there: it cannot be pushed`);
  const onProgress = throttled(progress, "Preparing", diffId, tar.sizeBytes);
  const blob = await deps.transfers.compressions.join(
    diffId,
    (jobSignal, tell) => compress(deps, { path: tar.path, diffId }, tell, jobSignal),
    (news) => ("blob" in news ? lease.made(news.blob.digest) : onProgress(news.readBytes)),
    signal,
  );
  lease.made(blob.digest);
  const isDocker = layer.mediaType.startsWith("application/vnd.docker.");
  const mediaType = isDocker ? mediaTypes.dockerLayerGzip : mediaTypes.ociLayerGzip;
  return { ...layer, digest: blob.digest, compressedBytes: blob.sizeBytes, mediaType };
}

export interface CompressedBlob {
  readonly digest: Digest;
  readonly sizeBytes: number;
}

/** The blob is told of just before it is in the store: whoever wants it holds it by then. */
export type CompressionNews = { readonly readBytes: number } | { readonly blob: CompressedBlob };

async function compress(
  { content }: PushDependencies,
  { path, diffId }: { readonly path: string; readonly diffId: Digest },
  tell: (news: CompressionNews) => void,
  signal: AbortSignal,
): Promise<CompressedBlob> {
  await using file = await TemporaryFile.create(content.temporary, "compress-");
  const [input, output] = [new Bun.CryptoHasher(diffId.startsWith("sha512:") ? "sha512" : "sha256"), new Bun.CryptoHasher("sha256")];
  const gzip = createGzip({ chunkSize: readBytes });
  const onPiece = (piece: Uint8Array, position: number): void => {
    input.update(piece);
    tell({ readBytes: position });
  };
  const feeding = feed(gzip, path, onPiece, signal);
  feeding.catch((error: unknown) => gzip.destroy(error instanceof Error ? error : new Error(String(error))));
  for await (const piece of gzip as AsyncIterable<Uint8Array>) {
    output.update(piece);
    await file.write(piece);
  }
  await feeding;
  // A damaged layer must not become the content of a good digest.
  if (input.digest("hex") !== digestHex(diffId))
    throw new EngineError("internal", `layer ${diffId} is damaged: its archive has another digest`);
  await file.sync();
  signal.throwIfAborted();
  const blob = { digest: parseDigest(`sha256:${output.digest("hex")}`), sizeBytes: file.sizeBytes };
  tell({ blob });
  file.keep();
  await content.adopt(file.path, blob);
  return blob;
}

async function feed(
  gzip: ReturnType<typeof createGzip>,
  path: string,
  onPiece: (piece: Uint8Array, position: number) => void,
  signal: AbortSignal,
): Promise<void> {
  await using file = await open(path, "r");
  for (let position = 0; ;) {
    signal.throwIfAborted();
    const buffer = Buffer.allocUnsafe(readBytes);
    const { bytesRead } = await file.read(buffer, 0, buffer.length, position);
    if (bytesRead === 0) break;
    position += bytesRead;
    const piece = buffer.subarray(0, bytesRead);
    onPiece(piece, position);
    if (!gzip.write(piece)) await roomIn(gzip);
  }
  gzip.end();
}

function roomIn(gzip: ReturnType<typeof createGzip>): Promise<void> {
  if (gzip.destroyed) throw new EngineError("internal", "the compression was given up");
  return new Promise((resolve) => {
    const go = (): void => {
      gzip.off("drain", go).off("close", go);
      resolve();
    };
    gzip.on("drain", go).on("close", go);
  });
}
