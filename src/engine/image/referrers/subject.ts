import { parseManifestObject } from "#drivers/distribution/parse-manifest.ts";
import type { ContentStore } from "#drivers/content/types.ts";
import { isDigest, parseDigest, type Digest } from "#lib/digest.ts";
import { parseReference, type Reference } from "#lib/reference.ts";
import type { Descriptor } from "#types/oci/image.ts";
import type { ImageRecord, ReferrerRecord } from "#types/record/image.ts";
import type { ImageLease } from "../leases.ts";
import { documentLimitBytes, type ImageService } from "../service.ts";
import { storeBlob } from "../store-image.ts";
import { referrerRecord } from "./record.ts";

/** What may be referred to of an image in one repository: its manifest, and the indexes that its names there stand for. */
export function subjectsOf(images: ImageService, image: ImageRecord, { domain, path }: Pick<Reference, "domain" | "path">): Digest[] {
  const targets = images.references(image.id).flatMap(({ reference, targetDigest }) => {
    const name = parseReference(reference);
    return name.domain === domain && name.path === path ? [targetDigest] : [];
  });
  return [...new Set([image.manifestDigest, ...targets])].filter(isDigest);
}

/** Types that tell what is in an image, whatever its layers are compressed with. A signature is of one manifest alone. */
const aboutContent: ReadonlySet<string> = new Set(["application/spdx+json", "application/vnd.cyclonedx+json", "application/vnd.syft+json"]);

export interface Readdressing {
  readonly content: ContentStore;
  readonly lease: ImageLease;
}

/**
 * An artifact of an image whose manifest is another one now: it refers to that from then on, as far as it is about the image's content.
 * @returns undefined when it is about the former manifest alone
 */
export async function readdressed(
  { content, lease }: Readdressing,
  referrer: ReferrerRecord,
  subject: Descriptor,
): Promise<ReferrerRecord | undefined> {
  if (referrer.subject === subject.digest) return referrer;
  if (!aboutContent.has(referrer.artifactType)) return undefined;
  const manifest = parseManifestObject(await content.read(parseDigest(referrer.digest), documentLimitBytes));
  const { mediaType, digest, size } = subject;
  const bytes = Buffer.from(JSON.stringify({ ...manifest, subject: { mediaType, digest, size } }));
  const record = referrerRecord(bytes);
  await storeBlob(content, lease, parseDigest(record.digest), bytes);
  return record;
}
