import type { ImageRecord } from "#types/record/image.ts";
import { parseDigest } from "#lib/digest.ts";
import { blobsOf, type Stores } from "./parts.ts";

/** An image has everything it needs, as far as that is known without reading it. */
export async function isWhole(image: ImageRecord, { content, snapshots }: Stores): Promise<boolean> {
  for (const [object, digest] of blobsOf(image)) {
    const isNeeded = object === "config" || object === "manifest";
    if (isNeeded ? !(await content.info(digest)) : await content.isQuarantined(digest)) return false;
  }
  for (const { chainId } of image.layers) if (!(await snapshots.hasLayer(parseDigest(chainId)))) return false;
  return true;
}
