import { existsSync } from "node:fs";
import type { Finding } from "./difference.ts";
import { namesIn } from "./host.ts";
import type { Records } from "./records.ts";

/** Blobs: config and manifest of every image, perhaps its compressed layers and the index it was pulled by, and no other. */
export function checkBlobs(records: Records, transferUnderWay: boolean): Finding[] {
  const { images, references, paths } = records;
  const blobs = `${paths.content}/blobs`;
  const pathOf = (digest: string): string => `${blobs}/${digest.replace(":", "/")}`;
  const required = new Map(
    [...images.values()].flatMap(({ id, manifestDigest }) => [id, manifestDigest].map((digest) => [pathOf(digest), id])),
  );
  const missing = [...required]
    .filter(([path]) => !existsSync(path))
    .map(([path, image]): Finding => ({ kind: "blob", subject: path, message: `is missing, image ${image} needs it` }));
  if (transferUnderWay) return missing;
  const allowed = new Set([
    ...required.keys(),
    ...[...images.values()].flatMap(({ layers }) => layers.map(({ digest }) => pathOf(digest))),
    ...[...images.values()].flatMap(({ referrers = [] }) =>
      referrers.flatMap(({ digest, blobs: parts }) => [digest, ...parts.map((part) => part.digest)].map(pathOf)),
    ),
    ...[...references.values()].map(({ targetDigest }) => pathOf(targetDigest)),
  ]);
  const surplus = namesIn(blobs)
    .flatMap((algorithm) => namesIn(`${blobs}/${algorithm}`).map((name) => `${blobs}/${algorithm}/${name}`))
    .filter((path) => !allowed.has(path))
    .map((path): Finding => ({ kind: "blob", subject: path, message: "exists, but no image needs it" }));
  return [...missing, ...surplus];
}
