import type { ImageService } from "#engine/image/service.ts";
import { familiarName, familiarReference, type Reference } from "#lib/reference.ts";
import type { ImageRecord } from "#types/record/image.ts";
import { booleanFilter, type Filters } from "../decode/filters.ts";
import { matchesLabels, parseUntil, valuesOf } from "../filters.ts";
import { parsePattern } from "./pattern.ts";
import { createdNano, createdSeconds, referencesOf, shownReferences, type ShownReferences } from "./summary.ts";

/** An image that passes, with those of its names that do. */
export interface SelectedImage {
  readonly image: ImageRecord;
  readonly names: ShownReferences;
}

/** Images that pass, newest first. Values of `reference` are alternatives, and names that match none of them are not shown. */
export function selectImages(images: ImageService, filters: Filters): SelectedImage[] {
  const newestFirst = images.list().sort((a, b) => createdSeconds(b) - createdSeconds(a));
  const one = (name: "before" | "since"): ImageRecord | undefined => {
    const [value] = valuesOf(filters, name);
    return value === undefined ? undefined : images.find(value);
  };
  const before = one("before");
  const since = one("since");
  const until = parseUntil(filters);
  const dangling = booleanFilter(filters, "dangling");
  const patterns = valuesOf(filters, "reference").map(parsePattern);
  return newestFirst.flatMap((image) => {
    const labels = images.labels(image.id) ?? {};
    if (before && createdNano(image) >= createdNano(before)) return [];
    if (since && createdNano(image) <= createdNano(since)) return [];
    if (until !== undefined && createdNano(image) >= until) return [];
    if (filters.has("label") && !matchesLabels(labels, valuesOf(filters, "label"))) return [];
    if (filters.has("label!") && matchesLabels(labels, valuesOf(filters, "label!"))) return [];
    const references = referencesOf(images, image.id).filter((reference) => patterns.length === 0 || matchesAny(reference, patterns));
    if (references.length === 0 && (patterns.length > 0 || dangling === false)) return [];
    const names = shownReferences(references);
    return dangling === true && names.tags.length > 0 ? [] : [{ image, names }];
  });
}

/** A pattern is about the short name, with or without tag. Source: distribution/reference, FamiliarMatch. */
function matchesAny(reference: Reference, patterns: readonly ((name: string) => boolean)[]): boolean {
  return patterns.some((matches) => matches(familiarReference(reference)) || matches(familiarName(reference)));
}
