import { EngineError } from "#lib/errors.ts";
import { familiarName, parseReference, type Reference } from "#lib/reference.ts";
import type { ImageRecord } from "#types/record/image.ts";
import { matchesPlatform, type WantedPlatform } from "../platform.ts";
import type { ImageService } from "../service.ts";

/** An image to be saved, with those of its names that were asked for. */
export interface SavedImage {
  readonly image: ImageRecord;
  readonly tags: readonly Reference[];
}

/**
 * What names stand for: a tag, all tags of a repository, or an image by its id or digest, without a name then.
 * @param platforms  an image must be for one of them; any will do when there is none
 * @throws {EngineError} `not_found`, `invalid` with Docker's texts
 */
export function selectSaved(images: ImageService, names: readonly string[], platforms: readonly WantedPlatform[]): SavedImage[] {
  const selected = new Map<string, { readonly image: ImageRecord; readonly tags: Map<string, Reference> }>();
  for (const name of names)
    for (const { image, reference } of resolve(images, name)) {
      const entry = selected.get(image.id) ?? { image, tags: new Map<string, Reference>() };
      selected.set(image.id, entry);
      if (reference?.tag !== undefined) entry.tags.set(`${familiarName(reference)}:${reference.tag}`, reference);
    }
  const saved = [...selected.values()].map(({ image, tags }) => ({ image, tags: [...tags.values()] }));
  const [platform] = platforms;
  if (platform === undefined) return saved;
  for (const { image } of saved)
    if (!platforms.some((one) => matchesPlatform(one, image)))
      throw new EngineError("not_found", `no suitable export target found for platform ${shownPlatform(platform)}`);
  return saved;
}

interface Resolved {
  readonly image: ImageRecord;
  readonly reference?: Reference;
}

function resolve(images: ImageService, name: string): Resolved[] {
  if (/^(sha256:)?[0-9a-f]{64}$/.test(name) || name.startsWith("sha256:")) return [{ image: byId(images, name) }];
  const reference = parseReference(name);
  if (reference.tag !== undefined || reference.digest !== undefined) {
    const image = images.lookup(name);
    if (!image) throw new EngineError("not_found", "reference does not exist");
    return [reference.digest === undefined ? { image, reference } : { image }];
  }
  const inRepository = images.inRepository(reference).flatMap(({ reference: full, imageId }) => {
    const image = images.peek(imageId);
    return image ? [{ image, reference: withoutDigest(parseReference(full)) }] : [];
  });
  return inRepository.length > 0 ? inRepository : [{ image: byId(images, name) }];
}

function byId(images: ImageService, text: string): ImageRecord {
  const image = images.lookup(text);
  if (!image) throw new EngineError("not_found", `No such image: ${text}`);
  return image;
}

function withoutDigest({ domain, path, tag }: Reference): Reference {
  return { domain, path, ...(tag !== undefined && { tag }) };
}

function shownPlatform({ os, architecture, variant }: WantedPlatform): string {
  return [os, architecture, variant].filter(Boolean).join("/");
}
