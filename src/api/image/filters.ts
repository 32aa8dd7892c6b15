import type { ImageService } from "#engine/image/service.ts";
import { EngineError } from "#lib/errors.ts";
import { parseReference } from "#lib/reference.ts";
import type { ImageRecord } from "#types/record/image.ts";
import { matchesLabels, parseUntil, valuesOf } from "../filters.ts";
import { createdSeconds, shownReferences } from "./summary.ts";
import { type Filters } from "../decode/filters.ts";

/** Images that pass, newest first. Values of `reference` are alternatives. */
export function selectImages(images: ImageService, filters: Filters): ImageRecord[] {
  const newestFirst = images.list().sort((a, b) => createdSeconds(b) - createdSeconds(a));
  const one = (name: "before" | "since"): ImageRecord | undefined => {
    const [value] = valuesOf(filters, name);
    return value === undefined ? undefined : images.find(value);
  };
  const before = one("before");
  const since = one("since");
  const until = parseUntil(filters);
  const dangling = valuesOf(filters, "dangling").map(parseDangling);
  return newestFirst.filter((image) => {
    const labels = images.config(image.id).config?.Labels ?? {};
    const { tags, digests } = shownReferences(images, image.id);
    if (before && createdSeconds(image) >= createdSeconds(before)) return false;
    if (since && createdSeconds(image) <= createdSeconds(since)) return false;
    if (until !== undefined && BigInt(createdSeconds(image)) * 1_000_000_000n >= until) return false;
    if (dangling.length > 0 && !dangling.includes(tags.length === 0)) return false;
    if (filters.has("label") && !matchesLabels(labels, valuesOf(filters, "label"))) return false;
    if (filters.has("label!") && matchesLabels(labels, valuesOf(filters, "label!"))) return false;
    const patterns = valuesOf(filters, "reference");
    return patterns.length === 0 || [...tags, ...digests].some((name) => patterns.some((pattern) => matchesReference(name, pattern)));
  });
}

function parseDangling(value: string): boolean {
  if (["1", "t", "true", "T", "True", "TRUE"].includes(value)) return true;
  if (["0", "f", "false", "F", "False", "FALSE"].includes(value)) return false;
  throw new EngineError("invalid", `invalid filter 'dangling=[${value}]'`);
}

/** A shell pattern over the short name, with or without tag; `*` stops at a slash. */
function matchesReference(name: string, pattern: string): boolean {
  const expression = new RegExp(
    `^${pattern
      .replace(/[.+^${}()|\\]/g, "\\$&")
      .replaceAll("*", "[^/]*")
      .replaceAll("?", "[^/]")}$`,
  );
  const repository = name.includes("@") ? name.slice(0, name.indexOf("@")) : name.slice(0, name.lastIndexOf(":"));
  if (expression.test(name) || expression.test(repository)) return true;
  const { domain, path } = parseReference(repository);
  return expression.test(`${domain}/${path}`);
}
