import type { Digest } from "#lib/digest.ts";
import { EngineError } from "#lib/errors.ts";
import { familiarReference, formatReference, parseReference, withDefaultTag, type Reference } from "#lib/reference.ts";
import { ImageArchive } from "./archive/image-archive.ts";
import { MemberFiles } from "./archive/member-files.ts";
import { planImages, type PlannedImage } from "./archive/plan.ts";
import { spoolMembers } from "./archive/spool.ts";
import type { ImageTransferDependencies } from "./dependencies.ts";
import { EarlyLayers } from "./early-layers.ts";
import { loadLayers } from "./load-layers.ts";
import { makeManifest } from "./make-manifest.ts";
import { parsePlatformParameter } from "./platform.ts";
import { loadReferrers } from "./referrers/archived.ts";
import { withReferrers } from "./referrers/record.ts";
import type { ReportProgress } from "./progress.ts";
import { holdKnown, imageRecord, storeBlob, storeIndex } from "./store-image.ts";

export interface LoadOptions {
  /** No messages about layers. */
  readonly quiet: boolean;
  /** Take only images for it: `linux/arm64`, or the JSON object that the API's parameter holds. */
  readonly platform?: string;
}

/**
 * Loads the images of an archive: docker-archive, OCI layout, or both in one; plain, gzip or zstd. Nothing of it is ever extracted by
 * its name: files are known by their place in the list of members. An image appears when all its layers are on disk and have the digests its config names.
 * @throws {EngineError} `invalid` for a bad archive, `not_found` when no image is for the platform, `unavailable` when the disk is full
 */
export async function loadImages(
  deps: ImageTransferDependencies,
  body: AsyncIterable<Uint8Array>,
  options: LoadOptions,
  progress: ReportProgress,
  signal: AbortSignal,
): Promise<void> {
  const wanted = options.platform === undefined ? undefined : parsePlatformParameter(options.platform);
  await using early = new EarlyLayers(deps, signal);
  await using files = await MemberFiles.create(await deps.content.temporaryFolder(), (member) => early.begin(member));
  await spoolMembers(body, files, signal);
  const archive = new ImageArchive(files.index);
  for (const image of await planImages(archive, wanted)) {
    signal.throwIfAborted();
    await loadImage(deps, { archive, early, image, quiet: options.quiet, progress }, signal);
  }
}

interface ImageLoad {
  readonly archive: ImageArchive;
  readonly early: EarlyLayers;
  readonly image: PlannedImage;
  readonly quiet: boolean;
  readonly progress: ReportProgress;
}

async function loadImage(deps: ImageTransferDependencies, load: ImageLoad, signal: AbortSignal): Promise<void> {
  const { archive, early, image, quiet, progress } = load;
  const tags = image.tags.flatMap((tag) => parseTag(tag, !image.areAnnotations));
  const lease = deps.images.leases.open();
  try {
    holdKnown(deps, lease, image.id);
    await storeBlob(deps.content, lease, image.id, image.configBytes);
    const layers = await loadLayers(deps, { archive, early, image, lease, progress: quiet ? undefined : progress }, signal);
    const manifest = image.layout ?? makeManifest({ id: image.id, bytes: image.configBytes }, layers);
    await storeBlob(deps.content, lease, manifest.digest, manifest.bytes);
    signal.throwIfAborted();
    const record = await imageRecord(deps, {
      id: image.id,
      config: image.config,
      manifestDigest: manifest.digest,
      manifestMediaType: manifest.mediaType,
      layers,
    });
    const index = image.layout?.index;
    if (index) await storeIndex(deps, lease, index.digest, index.bytes);
    for (const tag of tags) tellMove(deps, tag, image.id, progress);
    const references = tags.map((tag) => ({
      reference: formatReference(tag),
      imageId: image.id,
      targetDigest: index?.digest ?? record.manifestDigest,
    }));
    const referrers = await loadReferrers({ content: deps.content, lease, archive }, manifest.digest);
    await deps.images.add(
      { ...record, ...(referrers.length > 0 && { referrers: withReferrers(record.referrers ?? [], referrers) }) },
      image.config,
      references,
      "load",
    );
  } finally {
    await deps.images.release(lease);
  }
  for (const tag of tags) progress({ stream: `Loaded image: ${familiarReference(tag)}\n` });
  if (tags.length === 0) progress({ stream: `Loaded image ID: ${image.id}\n` });
}

/**
 * A name of an image in an archive.
 * @param isStrict  false for annotations, which may be anything: what is no name is passed over
 * @throws {EngineError} `invalid` when strict
 */
function parseTag(text: string, isStrict: boolean): Reference[] {
  try {
    const { digest, ...reference } = parseReference(text);
    if (isStrict && (digest !== undefined || reference.tag === undefined))
      throw new EngineError("invalid", `invalid tag ${JSON.stringify(text)}`);
    return [withDefaultTag(reference)];
  } catch (error) {
    if (isStrict) throw error;
    return [];
  }
}

/** Docker's warning, word for word, when a name leaves another image. */
function tellMove({ images }: ImageTransferDependencies, tag: Reference, id: Digest, progress: ReportProgress): void {
  const previous = images.named(formatReference(tag))?.imageId;
  if (previous === undefined || previous === id) return;
  const name = familiarReference(tag);
  progress({ stream: `The image ${name} already exists, renaming the old one with ID ${previous} to empty string\n` });
}
