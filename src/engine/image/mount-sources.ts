import type { Digest } from "#lib/digest.ts";
import { parseReference, type Reference } from "#lib/reference.ts";
import type { ImageService } from "./service.ts";

/**
 * Repositories of the same registry that had a blob once: an image has a name by digest (`repository@sha256:…`) only where it was pulled from
 * or pushed to, and then all its blobs are there.
 * @returns paths, those of the same owner (`team/…`) first
 */
export function mountSources(images: ImageService, { domain, path }: Pick<Reference, "domain" | "path">, digest: Digest): string[] {
  const sources = new Set<string>();
  for (const image of images.list()) {
    if (!image.layers.some((layer) => layer.digest === digest)) continue;
    for (const { reference } of images.references(image.id)) {
      const name = parseReference(reference);
      if (name.digest && name.domain === domain && name.path !== path) sources.add(name.path);
    }
  }
  const owner = path.split("/", 1)[0];
  const isNear = (source: string): boolean => source.split("/", 1)[0] === owner;
  return [...sources].sort((a, b) => Number(isNear(b)) - Number(isNear(a)) || (a < b ? -1 : 1));
}
