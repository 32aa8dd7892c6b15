import type { MetadataStore } from "#drivers/metadata/store.ts";
import { KeyedMutex } from "#lib/async.ts";
import { EngineError } from "#lib/errors.ts";
import { shortId } from "#lib/id.ts";
import { familiarName, familiarReference, formatReference, parseReference, withDefaultTag } from "#lib/reference.ts";
import type { ImageRecord, ImageReferenceRecord } from "#types/record/image.ts";
import type { EventBus } from "../event/bus.ts";
import { imageBlobs, type KeptContent } from "./kept-content.ts";
import type { ImageService } from "./service.ts";

/** One line of the answer to a removal. */
export type RemovedImage = { readonly Untagged: string } | { readonly Deleted: string };

/** A container of an image. */
export interface ImageUser {
  readonly id: string;
  readonly running: boolean;
}

type KnownImages = Pick<ImageService, "find" | "forgetConfig" | "hasChildren" | "isId" | "labels" | "peek" | "references">;

/** Takes names away, and with the last of them the image. */
export class ImageRemoval {
  readonly #images: KnownImages;
  readonly #kept: KeptContent;
  readonly #deps: { readonly store: MetadataStore; readonly events: EventBus };
  readonly #locks = new KeyedMutex();

  constructor(images: KnownImages, kept: KeptContent, deps: { readonly store: MetadataStore; readonly events: EventBus }) {
    this.#images = images;
    this.#kept = kept;
    this.#deps = deps;
  }

  /**
   * Docker's rmi: a name is taken away; the last one takes the image with it.
   * @param users  containers of an image: id and whether each runs
   * @throws {EngineError} `conflict` with Docker's texts
   */
  remove(
    text: string,
    options: { readonly force: boolean; readonly prune: boolean },
    users: (imageId: string) => readonly ImageUser[],
  ): Promise<RemovedImage[]> {
    return this.#locks.run("remove", async () => {
      const image = this.#images.find(text);
      const references = this.#images.references(image.id);
      const named = this.#namedReference(text, image);
      const containers = users(image.id);
      const running = containers.find((user) => user.running);
      if (named) {
        const others = references.filter((record) => record.reference !== named.reference && !isDigestOf(record, named));
        if (others.some((record) => !record.reference.includes("@")) || (others.length > 0 && named.reference.includes("@"))) {
          return await this.#untag([named], image);
        }
        if (containers.length > 0 && !options.force)
          throw inUse(familiarReference(parseReference(named.reference)), image.id, containers, "remove repository reference");
        if (running) return await this.#untag([named], image);
        if (containers.length > 0 || this.#images.hasChildren(image.id)) return await this.#untag(references, image);
      } else {
        if (this.#images.hasChildren(image.id))
          throw new EngineError(
            "conflict",
            `conflict: unable to delete ${shortId(image.id)} (cannot be forced) - image has dependent child images`,
          );
        const repositories = new Set(references.map((record) => familiarName(parseReference(record.reference))));
        if (running) throw inUse(shortId(image.id), image.id, [running], "delete", "cannot be forced");
        if (repositories.size > 1 && !options.force) {
          throw new EngineError(
            "conflict",
            `conflict: unable to delete ${shortId(image.id)} (must be forced) - image is referenced in multiple repositories`,
          );
        }
        if (containers.length > 0 && !options.force) throw inUse(shortId(image.id), image.id, containers, "delete");
      }
      const untagged = await this.#untag(references, image);
      const removed = [...untagged, ...(await this.#delete(image))];
      return options.prune ? [...removed, ...(await this.#deleteUnused(image.parent, users))] : removed;
    });
  }

  /** The image that one was made from, and so on, as long as they have no name and no user. */
  async #deleteUnused(id: string | undefined, users: (imageId: string) => readonly unknown[]): Promise<RemovedImage[]> {
    const image = id === undefined ? undefined : this.#images.peek(id);
    if (!image || this.#images.references(image.id).length > 0 || this.#images.hasChildren(image.id) || users(image.id).length > 0)
      return [];
    const removed = await this.#delete(image);
    return [...removed, ...(await this.#deleteUnused(image.parent, users))];
  }

  #namedReference(text: string, image: ImageRecord): ImageReferenceRecord | undefined {
    if (this.#images.isId(text, image)) return undefined;
    const full = formatReference(withDefaultTag(parseReference(text)));
    return this.#images.references(image.id).find((record) => record.reference === full);
  }

  async #untag(references: readonly ImageReferenceRecord[], image: ImageRecord): Promise<RemovedImage[]> {
    await this.#deps.store.update((transaction) => {
      for (const record of references) transaction.remove("image_reference", record.reference);
    });
    for (const _record of references)
      this.#deps.events.emit("image", "untag", image.id, { ...this.#images.labels(image.id), name: image.id });
    await this.#kept.removeBlobs(references.map(({ targetDigest }) => targetDigest));
    return references.map((record) => ({ Untagged: familiarReference(parseReference(record.reference)) }));
  }

  /** The record first, then layers and blobs no other image has: what a kill leaves in between is collected at the next start. */
  async #delete(image: ImageRecord): Promise<RemovedImage[]> {
    await this.#deps.store.update((transaction) => transaction.remove("image", image.id));
    this.#images.forgetConfig(image.id);
    this.#deps.events.emit("image", "delete", image.id, { name: image.id });
    const chain = image.layers.map(({ chainId }) => chainId).reverse();
    const [layers] = await Promise.all([this.#kept.removeLayers(chain), this.#kept.removeBlobs(imageBlobs(image))]);
    return [{ Deleted: image.id }, ...layers.map((chainId) => ({ Deleted: chainId }))];
  }
}

/** `repo@digest` that came with the tag of the same repository goes with it. */
export function isDigestOf(record: ImageReferenceRecord, tag: ImageReferenceRecord): boolean {
  return record.reference.includes("@") && familiarName(parseReference(record.reference)) === familiarName(parseReference(tag.reference));
}

function inUse(
  name: string,
  imageId: string,
  containers: readonly ImageUser[],
  action: "delete" | "remove repository reference",
  force = "must be forced",
): EngineError {
  const { id = "", running = false } = containers.find((user) => user.running) ?? containers[0] ?? {};
  const reason =
    action === "delete"
      ? `image is being used by ${running ? "running" : "stopped"} container ${shortId(id)}`
      : `container ${shortId(id)} is using its referenced image ${shortId(imageId)}`;
  const subject = action === "delete" ? name : JSON.stringify(name);
  return new EngineError("conflict", `conflict: unable to ${action} ${subject} (${force}) - ${reason}`);
}
