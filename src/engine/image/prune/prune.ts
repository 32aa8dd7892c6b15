import type { ImageRecord } from "#types/record/image.ts";
import type { RemovedImage } from "../removal.ts";
import type { ImageService } from "../service.ts";
import { freedBytes, isPrunable, namesInOrder, planPrune, type PlannedRemoval } from "./plan.ts";

/** Containers that need an image: made from it, or with it as a volume. */
export type ImageUsers = (imageId: string) => readonly { readonly id: string; readonly running: boolean }[];

export interface ImagePrune {
  /** Images that pass the filters, in order. */
  readonly selected: readonly ImageRecord[];
  /** Those with a tag as well. */
  readonly all: boolean;
}

/** Removes images that nothing uses. @returns what was removed, and the bytes of its layers */
export async function pruneImages(
  images: ImageService,
  { selected, all }: ImagePrune,
  users: ImageUsers,
): Promise<{ readonly removed: readonly RemovedImage[]; readonly freedBytes: number }> {
  const before = images.list();
  const removed: RemovedImage[] = [];
  for (const image of selected) {
    if (!images.peek(image.id)) continue; // gone with one that was made from it
    const hasChildren = images.hasChildren(image.id);
    const references = images.references(image.id);
    if (!isPrunable({ references, hasChildren, isUsed: users(image.id).length > 0 }, all)) continue;
    for (const text of hasChildren ? namesInOrder(references).map(({ reference }) => reference) : [image.id]) {
      if (hasChildren && images.named(text)?.imageId !== image.id) continue; // gone with the last tag
      removed.push(...(await images.remove(text, { force: true, prune: true }, users)));
    }
  }
  return { removed, freedBytes: freedBytes(before, removed) };
}

/** What {@link pruneImages} would do. @param without  containers that are taken for removed */
export function planImagePrune(
  images: ImageService,
  { selected, all }: ImagePrune,
  users: ImageUsers,
  without: ReadonlySet<string>,
): PlannedRemoval[] {
  const held = images.layersOfContainers(without);
  const state = {
    images: images.list(),
    references: images.allReferences(),
    isUsed: (imageId: string) => users(imageId).some(({ id }) => !without.has(id)),
    isLayerHeld: (chainId: string) => held.has(chainId) || images.leases.isHeld(chainId),
  };
  return planPrune(state, selected, all);
}
