import { familiarReference, formatReference, parseReference } from "#lib/reference.ts";
import type { ImageRecord, ImageReferenceRecord } from "#types/record/image.ts";
import { isDigestOf, type RemovedImage } from "../removal.ts";

/** What a prune of images is decided by. */
export interface PruneState {
  readonly images: readonly ImageRecord[];
  readonly references: readonly ImageReferenceRecord[];
  /** A container needs it. */
  isUsed(imageId: string): boolean;
  /** Needed by something else than an image. */
  isLayerHeld(chainId: string): boolean;
}

/** What a prune does about one image. */
export interface PlannedRemoval {
  readonly image: ImageRecord;
  /** Names it had. */
  readonly names: readonly string[];
  /** As the prune tells it, in order. */
  readonly removed: readonly RemovedImage[];
  /** Uncompressed bytes of the layers that go with it. */
  readonly freedBytes: number;
}

/**
 * What a prune would remove, step by step as `pruneImages` does it, on a copy of the records. Pure.
 * @param selected  images that pass the filters, in order
 * @param all  those with a tag as well
 */
export function planPrune(state: PruneState, selected: readonly ImageRecord[], all: boolean): PlannedRemoval[] {
  const model = new PruneModel(state);
  return selected.flatMap((image) => {
    const names = model.references(image.id).map(shown);
    const removed = model.prune(image, all);
    return removed.length > 0 ? [{ image, names, removed, freedBytes: freedBytes(state.images, removed) }] : [];
  });
}

/** Bytes of the layers among what was removed. */
export function freedBytes(images: readonly ImageRecord[], removed: readonly RemovedImage[]): number {
  const sizes = new Map(images.flatMap(({ layers }) => layers.map(({ chainId, sizeBytes }) => [chainId, sizeBytes])));
  return removed.reduce((sum, one) => sum + ("Deleted" in one ? (sizes.get(one.Deleted) ?? 0) : 0), 0);
}

/** Whether a prune looks at an image at all. One with images made from it, and no name, goes with the last of them. */
export function isPrunable(
  facts: { readonly references: readonly ImageReferenceRecord[]; readonly hasChildren: boolean; readonly isUsed: boolean },
  all: boolean,
): boolean {
  if (facts.isUsed || (facts.references.length === 0 && facts.hasChildren)) return false;
  return all || !facts.references.some(isTag);
}

const isTag = ({ reference }: ImageReferenceRecord): boolean => !reference.includes("@");
const shown = ({ reference }: ImageReferenceRecord): string => familiarReference(parseReference(reference));

/** The records of images, as far as their removal goes. */
class PruneModel {
  readonly #images: Map<string, ImageRecord>;
  readonly #references: Map<string, ImageReferenceRecord>;
  readonly #state: PruneState;
  /** How many images have a layer. */
  readonly #owners = new Map<string, number>();

  constructor(state: PruneState) {
    this.#state = state;
    this.#images = new Map(state.images.map((image) => [image.id, image]));
    this.#references = new Map(state.references.map((record) => [record.reference, record]));
    for (const { layers } of state.images)
      for (const { chainId } of layers) this.#owners.set(chainId, (this.#owners.get(chainId) ?? 0) + 1);
  }

  references(id: string): ImageReferenceRecord[] {
    return [...this.#references.values()].filter(({ imageId }) => imageId === id);
  }

  prune(image: ImageRecord, all: boolean): RemovedImage[] {
    if (!this.#images.has(image.id)) return []; // gone with one that was made from it
    const references = this.references(image.id);
    const facts = { references, hasChildren: this.#hasChildren(image.id), isUsed: this.#state.isUsed(image.id) };
    if (!isPrunable(facts, all)) return [];
    if (facts.hasChildren) return this.#untagOneByOne(image.id);
    return [...this.#untag(references), ...this.#delete(image), ...this.#deleteUnused(image.parent)];
  }

  #hasChildren(id: string): boolean {
    return [...this.#images.values()].some(({ parent }) => parent === id);
  }

  /** As a removal by each name: the last tag takes what is left along. */
  #untagOneByOne(id: string): RemovedImage[] {
    return namesInOrder(this.references(id)).flatMap((named) => {
      const references = this.references(id);
      if (!references.includes(named)) return [];
      const others = references.filter((record) => record !== named && !isDigestOf(record, named));
      const stays = others.some(isTag) || (others.length > 0 && !isTag(named));
      return this.#untag(stays ? [named] : references);
    });
  }

  #untag(references: readonly ImageReferenceRecord[]): RemovedImage[] {
    for (const { reference } of references) this.#references.delete(reference);
    return references.map((record) => ({ Untagged: shown(record) }));
  }

  #delete(image: ImageRecord): RemovedImage[] {
    this.#images.delete(image.id);
    const removed: RemovedImage[] = [{ Deleted: image.id }];
    for (const { chainId } of image.layers.toReversed()) {
      const owners = (this.#owners.get(chainId) ?? 1) - 1;
      this.#owners.set(chainId, owners);
      if (owners === 0 && !this.#state.isLayerHeld(chainId)) removed.push({ Deleted: chainId });
    }
    return removed;
  }

  #deleteUnused(id: string | undefined): RemovedImage[] {
    const image = id === undefined ? undefined : this.#images.get(id);
    if (!image || this.references(image.id).length > 0 || this.#hasChildren(image.id) || this.#state.isUsed(image.id)) return [];
    return [...this.#delete(image), ...this.#deleteUnused(image.parent)];
  }
}

/** Tags before digests, each in the order of their full form. */
export function namesInOrder(references: readonly ImageReferenceRecord[]): ImageReferenceRecord[] {
  const order = ({ reference }: ImageReferenceRecord): string => formatReference(parseReference(reference));
  return references.toSorted((a, b) => Number(isTag(b)) - Number(isTag(a)) || (order(a) < order(b) ? -1 : 1));
}
