import { formatTimeNano, systemClock } from "#lib/clock.ts";
import { sha256, type Digest } from "#lib/digest.ts";
import { EngineError } from "#lib/errors.ts";
import type { Reference } from "#lib/reference.ts";
import { TemporaryFile } from "#lib/temporary-file.ts";
import { version } from "#lib/version.ts";
import { mediaTypes } from "#types/oci/image.ts";
import { spoolAsIs } from "../archive/spool.ts";
import { applyChanges } from "../changes/apply.ts";
import type { ImageTransferDependencies } from "../dependencies.ts";
import type { ImageLease } from "../leases.ts";
import { makeManifest } from "../make-manifest.ts";
import { orderedConfig } from "../ordered-config.ts";
import { parseImageConfig } from "../parse-config.ts";
import { hostPlatform, parsePlatform, type WantedPlatform } from "../platform.ts";
import { progressBar, type ReportProgress } from "../progress.ts";
import { imageRecord, storeBlob, type IncomingLayer } from "../store-image.ts";
import { fetchArchive, parseSource } from "./source.ts";

export interface ImportRequest {
  /** A URL, or `-` for the body. */
  readonly source: string;
  readonly reference: Reference | undefined;
  /** Of the only step of its history; empty: where it came from. */
  readonly message: string;
  readonly changes: readonly string[];
  /** `linux/arm64`; that of this machine when empty. */
  readonly platform: string;
}

/** Between two messages about the bytes that have come. */
const intervalMilliseconds = 100;

/**
 * Makes an image of one layer from an archive of files: plain, gzip or zstd. What it is to be is checked before the first byte is read, and the
 * image appears when its layer is on disk.
 * @throws {EngineError} `invalid` with Docker's texts, and for a damaged archive; `unavailable` when the disk is full
 */
export async function importImage(
  deps: ImageTransferDependencies,
  request: ImportRequest,
  body: AsyncIterable<Uint8Array>,
  progress: ReportProgress,
  signal: AbortSignal,
): Promise<void> {
  const platform = importPlatform(request.platform);
  const config = applyChanges({}, request.changes);
  await using file = await TemporaryFile.create(await deps.content.temporaryFolder(), "import-");
  await spoolAsIs(request.source === "-" ? body : await download(request.source, progress, signal), file, signal);
  const lease = deps.images.leases.open();
  try {
    const layer = await takeLayer(deps, file.path, lease, signal);
    const bytes = configOf(request, platform, orderedConfig(config), layer.diffId);
    const id = sha256(bytes);
    const manifest = makeManifest({ id, bytes }, [layer]);
    await storeBlob(deps.content, lease, id, bytes);
    await storeBlob(deps.content, lease, manifest.digest, manifest.bytes);
    signal.throwIfAborted();
    const parsed = parseImageConfig(bytes);
    const image = await imageRecord(deps, {
      ...{ id, config: parsed, layers: [layer] },
      manifestDigest: manifest.digest,
      manifestMediaType: manifest.mediaType,
    });
    await deps.images.addMade(image, parsed, request.reference, "import");
    progress({ status: id });
  } finally {
    await deps.images.release(lease);
  }
}

function importPlatform(text: string): WantedPlatform {
  const platform = text === "" ? hostPlatform : parsePlatform(text);
  if (platform.os !== "linux") throw new EngineError("invalid", "operating system is not supported");
  return platform;
}

/** The bytes of a URL, told as they come. */
async function download(source: string, progress: ReportProgress, signal: AbortSignal): Promise<AsyncIterable<Uint8Array>> {
  const { body, sizeBytes: total = 0 } = await fetchArchive(parseSource(source), signal);
  progress({ status: `Downloading from ${source}` });
  return told(body, (current) =>
    progress({ status: "Importing", progressDetail: { current, ...(total > 0 && { total }) }, progress: progressBar(current, total) }),
  );
}

async function* told(body: AsyncIterable<Uint8Array>, tell: (current: number) => void): AsyncGenerator<Uint8Array, void> {
  let current = 0;
  let last = performance.now();
  for await (const chunk of body) {
    current += chunk.length;
    if (performance.now() - last >= intervalMilliseconds) {
      last = performance.now();
      tell(current);
    }
    yield chunk;
  }
  tell(current);
}

async function takeLayer(
  { snapshots }: ImageTransferDependencies,
  path: string,
  lease: ImageLease,
  signal: AbortSignal,
): Promise<IncomingLayer> {
  const { diffId, chainId, sizeBytes } = await snapshots.importLayer({ path, isGiven: true, parents: [] }, signal);
  lease.made(chainId);
  return { diffId, chainId, parents: [], digest: diffId, compressedBytes: sizeBytes, mediaType: mediaTypes.ociLayer };
}

/** Content of the config blob, its fields in the order of Docker's. Source: moby, image/spec. */
function configOf(
  { source, message }: ImportRequest,
  { os, architecture, variant }: WantedPlatform,
  config: ReturnType<typeof orderedConfig>,
  diffId: Digest,
): Uint8Array {
  const created = formatTimeNano(systemClock.nowNano());
  const comment = message || `Imported from ${source}`;
  const document = {
    architecture,
    comment,
    config,
    container_config: orderedConfig({}),
    created,
    docker_version: version,
    history: [{ created, comment }],
    os,
    rootfs: { type: "layers", diff_ids: [diffId] },
    ...(variant !== undefined && { variant }),
  };
  return Buffer.from(JSON.stringify(document));
}
