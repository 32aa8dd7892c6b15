import type { PushTarget } from "#drivers/distribution/push-target.ts";
import { UploadSource } from "#drivers/distribution/upload-source.ts";
import { parseDigest } from "#lib/digest.ts";
import type { Descriptor } from "#types/oci/image.ts";
import type { ImageRecord, ReferrerRecord } from "#types/record/image.ts";
import type { PushDependencies } from "../dependencies.ts";
import type { ImageLease } from "../leases.ts";
import { layerStatus, type ReportProgress } from "../progress.ts";
import { documentLimitBytes } from "../service.ts";
import { referrerDescriptor } from "./record.ts";
import { readdressed } from "./subject.ts";

export interface ReferrerPush {
  readonly target: PushTarget;
  readonly lease: ImageLease;
  readonly progress: ReportProgress;
  /** As it was before the push. */
  readonly image: ImageRecord;
  /** The manifest that has been pushed. */
  readonly manifest: Descriptor;
}

/**
 * Sends what refers to an image after it. A bill of materials refers to the manifest that was pushed, also where the one it was made for had
 * other layers; what was made for another manifest alone, such as a signature, stays here.
 * @returns the image's artifacts from now on
 */
export async function pushReferrers(deps: PushDependencies, push: ReferrerPush, signal: AbortSignal): Promise<ReferrerRecord[]> {
  const { image, manifest, lease, progress } = push;
  const kept: ReferrerRecord[] = [];
  for (const referrer of image.referrers ?? []) {
    for (const digest of [referrer.digest, ...referrer.blobs.map((blob) => blob.digest)]) lease.made(digest);
    const isOfManifest = referrer.subject === image.manifestDigest || referrer.subject === manifest.digest;
    const pushed = isOfManifest ? await readdressed({ content: deps.content, lease }, referrer, manifest) : undefined;
    kept.push(pushed ?? referrer);
    if (!pushed) progress(layerStatus(`Not pushed: ${referrer.artifactType} is about another manifest`, parseDigest(referrer.digest)));
    else await pushReferrer(deps, push, pushed, signal);
  }
  return kept;
}

async function pushReferrer(
  { content }: PushDependencies,
  { target, manifest, progress }: ReferrerPush,
  referrer: ReferrerRecord,
  signal: AbortSignal,
): Promise<void> {
  for (const { digest: named, sizeBytes } of referrer.blobs) {
    const digest = parseDigest(named);
    if (await target.hasBlob(digest, signal)) continue;
    await target.upload({ source: UploadSource.whole(content.path(digest), { digest, sizeBytes }) }, signal);
  }
  const digest = parseDigest(referrer.digest);
  const bytes = await content.read(digest, documentLimitBytes);
  const { subject } = await target.putManifest({ name: digest, mediaType: referrer.mediaType, bytes }, signal);
  // A registry that keeps the list itself says whose it has put it on.
  if (subject === undefined) await target.addReferrer(parseDigest(manifest.digest), referrerDescriptor(referrer), signal);
  progress(layerStatus(`Pushed referrer ${referrer.artifactType}`, digest));
}
