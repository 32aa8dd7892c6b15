import { parseRegistryAuth } from "#drivers/distribution/credentials.ts";
import type { RemoteRepository } from "#drivers/distribution/repository.ts";
import type { FetchedManifest } from "#drivers/distribution/types.ts";
import { chainIds } from "#drivers/snapshot/chain-id.ts";
import { parseDigest, type Digest } from "#lib/digest.ts";
import { EngineError } from "#lib/errors.ts";
import { familiarName, familiarReference, formatReference, type Reference } from "#lib/reference.ts";
import type { ImageReferenceRecord } from "#types/record/image.ts";
import { formatPlatform } from "./choose-platform.ts";
import type { PullDependencies } from "./dependencies.ts";
import { diffIdsOf } from "./parse-config.ts";
import { hostPlatform, matchesPlatform, parsePlatform } from "./platform.ts";
import type { ReportProgress } from "./progress.ts";
import { pullLayers } from "./pull-layers.ts";
import { selectManifest, type SelectedManifest } from "./select-manifest.ts";
import { holdKnown, imageRecord, storeBlob, storeIndex, type IncomingLayer } from "./store-image.ts";
import { isWhole } from "./verify/is-whole.ts";

export type { PullDependencies } from "./dependencies.ts";

export interface PullRequest {
  /** With a tag or a digest; a digest wins. */
  readonly reference: Reference;
  /** `linux/arm64`; the host's when absent. */
  readonly platform?: string;
  /** Header X-Registry-Auth as it came. */
  readonly auth?: string;
  /** Every tag of the repository instead of the reference's. */
  readonly allTags?: boolean;
}

/**
 * Pulls an image: manifest, config, layers; the image appears when all of it is on disk and verified. Messages are those of Docker, in its order.
 * When it fails or is aborted, nothing stays behind.
 * @throws {EngineError} with Docker's texts: `not_found`, `unauthorized`, `too_many`, `invalid`, `internal`, `unavailable`; the signal's reason
 */
export async function pullImage(
  deps: PullDependencies,
  request: PullRequest,
  progress: ReportProgress,
  signal: AbortSignal,
): Promise<void> {
  const { reference } = request;
  const repository = deps.registries.repository(reference, parseRegistryAuth(request.auth));
  if (!request.allTags) {
    const isNew = await pullReference(deps, repository, request, progress, signal);
    progress({ status: statusText(isNew, familiarReference(reference)) });
    return warnOfPlatform(deps, request, progress);
  }
  let isAnyNew = false;
  for (const tag of await repository.tags(signal)) {
    const { domain, path } = reference;
    const one = { ...request, reference: { domain, path, tag } };
    isAnyNew = (await pullReference(deps, repository, one, progress, signal)) || isAnyNew;
  }
  progress({ status: statusText(isAnyNew, familiarName(reference)) });
}

function statusText(isNew: boolean, name: string): string {
  return isNew ? `Status: Downloaded newer image for ${name}` : `Status: Image is up to date for ${name}`;
}

/** @returns whether the reference stands for another image than before */
async function pullReference(
  deps: PullDependencies,
  repository: RemoteRepository,
  request: PullRequest,
  progress: ReportProgress,
  signal: AbortSignal,
): Promise<boolean> {
  const { reference } = request;
  const name = reference.digest ?? reference.tag ?? "latest";
  const start = { status: `Pulling from ${reference.path}`, id: reference.digest ? familiarReference(reference) : name };
  const target = await repository.resolve(name, signal);
  if (target !== undefined && (await isPresent(deps, request, target))) {
    progress(start);
    progress({ status: `Digest: ${target}` });
    return false;
  }
  const root = await repository.manifest(target ?? name, signal);
  progress(start);
  const wanted = request.platform ? parsePlatform(request.platform) : hostPlatform;
  const selected = await selectManifest(repository, root, wanted, signal);
  const previous = deps.images.named(formatReference(storedReferences(reference, root.digest)[0] ?? reference))?.imageId;
  await takeIn(deps, { repository, reference, selected, root, progress }, signal);
  progress({ status: `Digest: ${root.digest}` });
  return previous !== selected.configDigest;
}

/** The reference is known to stand for `target`, on the platform that is wanted: of an index that of the host, unless another is asked for. */
async function isPresent({ images, content, snapshots }: PullDependencies, request: PullRequest, target: Digest): Promise<boolean> {
  const known = storedReferences(request.reference, target).map((reference) => images.named(formatReference(reference)));
  if (known.some((record) => record?.targetDigest !== target)) return false;
  const image = images.peek(known[0]?.imageId ?? "");
  const wanted = request.platform ? parsePlatform(request.platform) : images.indexes.entries(target) && hostPlatform;
  if (!image || (wanted && !matchesPlatform(wanted, image))) return false;
  return !(await content.isQuarantined(target)) && isWhole(image, { content, snapshots });
}

/** The names an image gets by a pull: tag and digest, or the digest alone. */
function storedReferences({ domain, path, tag, digest }: Reference, target: Digest): Reference[] {
  const byDigest = { domain, path, digest: target };
  return digest === undefined && tag !== undefined ? [{ domain, path, tag }, byDigest] : [byDigest];
}

interface Taking {
  readonly repository: RemoteRepository;
  readonly reference: Reference;
  readonly selected: SelectedManifest;
  /** The manifest or index that the reference stands for. */
  readonly root: FetchedManifest;
  readonly progress: ReportProgress;
}

async function takeIn(deps: PullDependencies, taking: Taking, signal: AbortSignal): Promise<void> {
  const { selected, reference, root } = taking;
  const { config, configDigest, configBytes, fetched, mediaType } = selected;
  const layers = incomingLayers(selected);
  const lease = deps.images.leases.open();
  try {
    holdKnown(deps, lease, configDigest);
    await storeBlob(deps.content, lease, configDigest, configBytes);
    await storeBlob(deps.content, lease, fetched.digest, fetched.bytes);
    if (root.digest !== fetched.digest) await storeIndex(deps, lease, root.digest, root.bytes);
    await pullLayers(deps, { ...taking, layers, lease }, signal);
    signal.throwIfAborted();
    const record = await imageRecord(deps, {
      id: configDigest,
      config,
      manifestDigest: fetched.digest,
      manifestMediaType: mediaType,
      layers,
    });
    const references: ImageReferenceRecord[] = storedReferences(reference, root.digest).map((stored) => ({
      reference: formatReference(stored),
      imageId: configDigest,
      targetDigest: root.digest,
    }));
    await deps.images.add(record, config, references, "pull");
  } finally {
    await deps.images.release(lease);
  }
}

/** @throws {EngineError} `invalid` when config and manifest do not belong together, or are not for this system */
function incomingLayers({ config, manifest }: SelectedManifest): IncomingLayer[] {
  if (config.os !== hostPlatform.os)
    throw new EngineError(
      "invalid",
      `image operating system ${JSON.stringify(config.os)} cannot be used on this platform: operating system is not supported`,
    );
  const diffIds = diffIdsOf(config);
  const chain = chainIds(diffIds);
  if (diffIds.length !== manifest.layers.length) throw new EngineError("invalid", "layers from manifest don't match image configuration");
  return manifest.layers.flatMap(({ digest, size, mediaType }, index) => {
    const [diffId, chainId] = [diffIds[index], chain[index]];
    if (!diffId || !chainId) return []; // the lengths are equal
    return [{ diffId, chainId, parents: diffIds.slice(0, index), digest: parseDigest(digest), compressedBytes: size, mediaType }];
  });
}

/** A registry without an index gives what it has, whatever was asked for. */
function warnOfPlatform({ images }: PullDependencies, { reference, platform }: PullRequest, progress: ReportProgress): void {
  const image = images.lookup(familiarReference(reference));
  if (!platform || !image || matchesPlatform(parsePlatform(platform), image)) return;
  progress({
    status:
      `WARNING: image with reference ${familiarReference(reference)} was found but its platform (${formatPlatform(image)}) ` +
      `does not match the specified platform (${platform})`,
  });
}
