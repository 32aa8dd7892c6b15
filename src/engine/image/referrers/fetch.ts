import { parseArtifact } from "#drivers/distribution/artifact.ts";
import { parseRegistryAuth } from "#drivers/distribution/credentials.ts";
import type { RemoteRepository } from "#drivers/distribution/repository.ts";
import { parseDigest } from "#lib/digest.ts";
import { EngineError } from "#lib/errors.ts";
import { parseReference, withDefaultTag } from "#lib/reference.ts";
import { mediaTypes, type Descriptor } from "#types/oci/image.ts";
import type { ReferrerRecord } from "#types/record/image.ts";
import type { PullDependencies } from "../dependencies.ts";
import type { ImageLease } from "../leases.ts";
import { layerStatus, type ReportProgress } from "../progress.ts";
import { storeBlob } from "../store-image.ts";
import { remoteReferrers, type ReferrersRequest } from "./list.ts";
import { referrerRecord } from "./record.ts";

/**
 * Fetches what refers to an image in its registry: manifests and content, verified, kept with the image from then on. All of it or nothing.
 * @throws {EngineError} `not_found` when the image is not here; as a pull
 */
export async function fetchReferrers(
  deps: PullDependencies,
  request: ReferrersRequest,
  progress: ReportProgress,
  signal: AbortSignal,
): Promise<void> {
  const image = deps.images.find(request.image);
  const known = new Set((image.referrers ?? []).map(({ digest }) => digest));
  const repository = deps.registries.repository(withDefaultTag(parseReference(request.image)), parseRegistryAuth(request.auth));
  const lease = deps.images.leases.open();
  try {
    lease.hold(image.id);
    const fetched: ReferrerRecord[] = [];
    for (const { descriptor } of await remoteReferrers(deps, request, signal)) {
      const isNew = !known.has(descriptor.digest);
      if (isNew) fetched.push(...(await fetchReferrer(deps, { repository, lease, progress }, descriptor, signal)));
      else progress(layerStatus("Already exists", descriptor.digest));
    }
    signal.throwIfAborted();
    if (fetched.length > 0) await deps.images.addReferrers(image.id, fetched);
  } finally {
    await deps.images.release(lease);
  }
}

interface Fetching {
  readonly repository: RemoteRepository;
  readonly lease: ImageLease;
  readonly progress: ReportProgress;
}

async function fetchReferrer(
  { content }: PullDependencies,
  { repository, lease, progress }: Fetching,
  entry: Descriptor,
  signal: AbortSignal,
): Promise<ReferrerRecord[]> {
  const digest = parseDigest(entry.digest);
  const name = (entry.artifactType ?? entry.mediaType).slice(0, 128);
  if (entry.mediaType !== mediaTypes.ociManifest) {
    progress(layerStatus(`Skipped: ${name} is not kept in an image manifest`, digest));
    return [];
  }
  progress(layerStatus(`Pulling referrer ${name}`, digest));
  const { bytes } = await repository.manifest(digest, signal);
  const { blobs } = parseArtifact(bytes);
  await storeBlob(content, lease, digest, bytes);
  for (const blob of blobs) {
    const blobDigest = parseDigest(blob.digest);
    lease.hold(blobDigest);
    if (await content.info(blobDigest)) continue;
    lease.made(blobDigest);
    const path = await repository.blob({ digest: blobDigest, sizeBytes: blob.size, folder: await content.temporaryFolder() }, signal);
    await content.adopt(path, { digest: blobDigest, sizeBytes: blob.size });
  }
  const record = referrerRecord(bytes);
  if (record.digest !== digest) throw new EngineError("internal", `referrer ${digest} has a digest that cannot be kept`);
  progress(layerStatus("Pull complete", digest));
  return [record];
}
