import { parseRegistryAuth } from "#drivers/distribution/credentials.ts";
import type { PushTarget } from "#drivers/distribution/push-target.ts";
import { UploadSource } from "#drivers/distribution/upload-source.ts";
import { parseDigest, sha256, type Digest } from "#lib/digest.ts";
import { EngineError } from "#lib/errors.ts";
import { familiarName, familiarReference, parseReference, type Reference } from "#lib/reference.ts";
import type { ImageRecord, ReferrerRecord } from "#types/record/image.ts";
import type { PushDependencies } from "./dependencies.ts";
import type { ImageLease } from "./leases.ts";
import type { WantedPlatform } from "./platform.ts";
import type { ReportProgress } from "./progress.ts";
import { LayerPush } from "./push-layers.ts";
import { manifestOf } from "./push-manifest.ts";
import { pushReferrers } from "./referrers/push.ts";
import { documentLimitBytes } from "./service.ts";
import { holdKnown, storeBlob } from "./store-image.ts";

export type { PushDependencies } from "./dependencies.ts";

export interface PushRequest {
  /** With a tag; without one every tag of the repository is pushed. */
  readonly reference: Reference;
  readonly platform?: WantedPlatform;
  /** Header X-Registry-Auth as it came. */
  readonly auth?: string;
}

/**
 * Pushes an image: layers, config, and the manifest last, so that a tag never stands for something incomplete. Messages are those of Docker, in
 * its order. When it fails or is aborted, uploads that were begun are taken back.
 * @throws {EngineError} with Docker's texts; the signal's reason
 */
export async function pushImage(
  deps: PushDependencies,
  request: PushRequest,
  progress: ReportProgress,
  signal: AbortSignal,
): Promise<void> {
  const { reference, platform } = request;
  const chosen = platform && deps.images.findFor(familiarReference(reference), platform).id;
  progress({ status: `The push refers to repository [${reference.domain}/${reference.path}]` });
  const wanted = referencesToPush(deps, reference);
  const target = await deps.registries.pushTarget(reference, parseRegistryAuth(request.auth), signal);
  const layers = new LayerPush(deps, { target, reference, progress }, signal);
  for (const { tag, imageId } of wanted)
    await pushTag(deps, { target, layers, reference, tag, imageId: chosen ?? imageId, progress }, signal);
  const { events, images } = deps;
  const name = familiarReference(reference);
  events.emit("image", "push", name, { ...images.labels(images.lookup(name)?.id ?? ""), name: familiarName(reference) });
}

interface TaggedImage {
  readonly tag: string;
  readonly imageId: string;
}

/** @throws {EngineError} `not_found` with Docker's texts */
function referencesToPush({ images }: PushDependencies, reference: Reference): TaggedImage[] {
  if (reference.digest) throw new EngineError("invalid", "cannot push a digest reference");
  const known = images.inRepository(reference);
  if (known.length === 0) throw new EngineError("not_found", `An image does not exist locally with the tag: ${familiarName(reference)}`);
  const tagged = known.flatMap(({ reference: name, imageId }) => {
    const { tag, digest } = parseReference(name);
    return tag !== undefined && !digest ? [{ tag, imageId }] : [];
  });
  const wanted = tagged.filter(({ tag }) => reference.tag === undefined || tag === reference.tag);
  if (wanted.length > 0) return wanted;
  if (reference.tag === undefined) throw new EngineError("not_found", `no tags to push for ${familiarName(reference)}`);
  throw new EngineError("not_found", `tag does not exist: ${familiarReference(reference)}`);
}

interface TagPush extends TaggedImage {
  readonly target: PushTarget;
  readonly layers: LayerPush;
  readonly reference: Reference;
  readonly progress: ReportProgress;
}

async function pushTag(deps: PushDependencies, push: TagPush, signal: AbortSignal): Promise<void> {
  const { target, tag, imageId, progress } = push;
  const image = deps.images.peek(imageId);
  if (!image) throw new EngineError("not_found", `could not find image from tag ${tag}: no such image`);
  const lease = deps.images.leases.open();
  try {
    lease.hold(imageId);
    holdKnown(deps, lease, parseDigest(imageId));
    const pushed = await push.layers.push(image, lease);
    await pushConfig(deps, target, parseDigest(imageId), signal);
    const { mediaType, bytes } = await manifestOf(deps, image, pushed);
    const digest = sha256(bytes);
    await storeBlob(deps.content, lease, digest, bytes);
    await target.putManifest({ name: tag, mediaType, bytes }, signal);
    const manifest = { mediaType, digest, size: bytes.length };
    const referrers = await pushReferrers(deps, { target, lease, progress, image, manifest }, signal);
    await remember(deps, { push, image, lease, pushed, digest, mediaType, referrers });
    progress({ status: `${tag}: digest: ${digest} size: ${bytes.length}` });
    progress({ progressDetail: {}, aux: { Tag: tag, Digest: digest, Size: bytes.length } });
  } finally {
    await deps.images.release(lease);
  }
}

/** Nobody is shown the config. */
async function pushConfig({ content }: PushDependencies, target: PushTarget, id: Digest, signal: AbortSignal): Promise<void> {
  if (await target.hasBlob(id, signal)) return;
  const { length } = await content.read(id, documentLimitBytes);
  await target.upload({ source: UploadSource.whole(content.path(id), { digest: id, sizeBytes: length }) }, signal);
}

interface PushedTag {
  readonly push: TagPush;
  readonly image: ImageRecord;
  readonly lease: ImageLease;
  readonly pushed: ImageRecord["layers"];
  readonly digest: Digest;
  readonly mediaType: string;
  /** What the image's artifacts are now. */
  readonly referrers: readonly ReferrerRecord[];
}

/** What the registry has now is what the image is made of, and has a name of its own there. */
async function remember({ images }: PushDependencies, pushedTag: PushedTag): Promise<void> {
  const { push, image, lease, pushed, digest, mediaType, referrers } = pushedTag;
  const { domain, path } = push.reference;
  const before = new Set(image.referrers?.map((one) => one.digest));
  const meanwhile = images.peek(image.id)?.referrers?.filter((one) => !before.has(one.digest)) ?? [];
  lease.made(image.manifestDigest); // an image that has another one now has no use for it
  await images.recordPush(
    { ...image, layers: pushed, manifestDigest: digest, manifestMediaType: mediaType, referrers: [...referrers, ...meanwhile] },
    { domain, path, tag: push.tag },
  );
}
