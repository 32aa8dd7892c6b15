import type { ContentStore } from "#drivers/content/types.ts";
import type { MetadataStore } from "#drivers/metadata/store.ts";
import { chainIds } from "#drivers/snapshot/chain-id.ts";
import type { Snapshotter } from "#drivers/snapshot/types.ts";
import { isDigest, parseDigest, type Digest } from "#lib/digest.ts";
import { EngineError } from "#lib/errors.ts";
import type { Logger } from "#lib/log.ts";
import {
  familiarName,
  familiarReference,
  formatReference,
  parseReference,
  withDefaultTag,
  withTag,
  type Reference,
} from "#lib/reference.ts";
import type { ImageConfig, ImageRunConfig } from "#types/oci/image.ts";
import type { ImageRecord, ImageReferenceRecord, ReferrerRecord } from "#types/record/image.ts";
import type { EventBus } from "../event/bus.ts";
import { KeptContent } from "./kept-content.ts";
import { ImageLeases, type ImageLease } from "./leases.ts";
import { parseImageConfig } from "./parse-config.ts";
import { formatPlatform } from "./choose-platform.ts";
import { ImageRemoval, type ImageUser, type RemovedImage } from "./removal.ts";
import { matchesPlatform, parsePlatform, type WantedPlatform } from "./platform.ts";
import { ImageIndexes } from "./platforms/indexes.ts";
import { withReferrers } from "./referrers/record.ts";

export interface ImageDependencies {
  readonly store: MetadataStore;
  readonly content: ContentStore;
  readonly snapshots: Snapshotter;
  readonly events: EventBus;
  readonly log: Logger;
}

/** What a container needs of its image. */
export interface RunnableImage {
  readonly id: string;
  readonly manifestDigest: string;
  readonly platform: { readonly os: string; readonly architecture: string; readonly variant?: string };
  readonly diffIds: readonly string[];
  readonly runConfig: ImageRunConfig;
}

/** Largest config or manifest that is read. */
export const documentLimitBytes = 4 << 20;

/** Images by id and name. Configs are kept in memory: create reads no disk. */
export class ImageService {
  readonly #deps: ImageDependencies;
  readonly #configs = new Map<string, ImageConfig>();
  /** What pulls and loads under way rely on. */
  readonly leases = new ImageLeases();
  /** What names stand for that came by an index. */
  readonly indexes = new ImageIndexes();

  readonly #kept: KeptContent;
  readonly #removal: ImageRemoval;

  private constructor(deps: ImageDependencies) {
    this.#deps = deps;
    this.#kept = new KeptContent(deps, this.leases, this.indexes);
    this.#removal = new ImageRemoval(this, this.#kept, deps);
  }

  /** Loads the configs of all images; one that cannot be read is named in the log and its image cannot run. */
  static async open(deps: ImageDependencies): Promise<ImageService> {
    const service = new ImageService(deps);
    for (const { id } of service.list()) {
      try {
        service.#configs.set(id, await service.#readConfig(parseDigest(id)));
      } catch (error) {
        deps.log.error("image config cannot be read", { image: id, error });
      }
    }
    await service.indexes.open(deps.content, service.#kept.targets(), deps.log);
    return service;
  }

  list(): ImageRecord[] {
    return [...this.#deps.store.table("image").values()];
  }

  peek(id: string): ImageRecord | undefined {
    return this.#deps.store.table("image").get(id);
  }

  /** @throws {EngineError} `not_found` when the config is damaged */
  config(id: string): ImageConfig {
    const config = this.#configs.get(id);
    if (!config) throw new EngineError("not_found", `No such image: ${id}`);
    return config;
  }

  /** None also when the config is damaged: such an image is still listed and removed. */
  labels(id: string): Readonly<Record<string, string>> | undefined {
    return this.#configs.get(id)?.config?.Labels ?? undefined;
  }

  /** References of an image, tags before digests. */
  references(id: string): ImageReferenceRecord[] {
    return this.allReferences().filter((record) => record.imageId === id);
  }

  allReferences(): ImageReferenceRecord[] {
    return [...this.#deps.store.table("image_reference").values()];
  }

  /** What a name in full form (`docker.io/library/busybox:latest`) stands for. */
  named(reference: string): ImageReferenceRecord | undefined {
    return this.#deps.store.table("image_reference").get(reference);
  }

  /** Names in one repository, with tags and by digests, in order. */
  inRepository({ domain, path }: Pick<Reference, "domain" | "path">): ImageReferenceRecord[] {
    const prefix = `${domain}/${path}`;
    return this.allReferences()
      .filter(({ reference }) => reference.startsWith(`${prefix}:`) || reference.startsWith(`${prefix}@`))
      .sort((a, b) => (a.reference < b.reference ? -1 : 1));
  }

  /** By reference, id, or unambiguous prefix of an id. @throws {EngineError} `not_found` with Docker's text, `invalid` for a bad reference */
  find(text: string): ImageRecord {
    const found = this.lookup(text);
    if (!found) throw new EngineError("not_found", `No such image: ${shownReference(text)}`);
    return found;
  }

  lookup(text: string): ImageRecord | undefined {
    if (isDigest(text)) {
      const image = this.peek(text);
      if (image) return image;
    }
    if (/^[0-9a-f]{64}$/.test(text)) return this.peek(`sha256:${text}`);
    const byName = this.#byReference(text);
    if (byName) return byName;
    const prefix = text.startsWith("sha256:") ? text.slice(7) : text;
    if (!/^[0-9a-f]{1,63}$/.test(prefix)) return undefined;
    const matches = this.list().filter((image) => image.id.startsWith(`sha256:${prefix}`));
    if (matches.length > 1) throw new EngineError("invalid", `Multiple IDs found with provided prefix: ${text}`);
    return matches[0];
  }

  #byReference(text: string): ImageRecord | undefined {
    const record = this.#recordOf(text);
    return record && this.peek(record.imageId);
  }

  #recordOf(text: string): ImageReferenceRecord | undefined {
    const reference = withDefaultTag(parseReference(text));
    const table = this.#deps.store.table("image_reference");
    const digestOnly: Reference = reference.digest
      ? { domain: reference.domain, path: reference.path, digest: reference.digest }
      : reference;
    return table.get(formatReference(reference)) ?? table.get(formatReference(digestOnly));
  }

  /**
   * As {@link find}, for one platform. A name stands for one image; where it came by an index, the images of its other platforms that are here
   * are found by it as well.
   * @throws {EngineError} `not_found` with Docker's text, also when there is none for the platform
   */
  findFor(text: string, wanted: WantedPlatform | undefined, asked = wanted && formatPlatform(wanted)): ImageRecord {
    const image = this.find(text);
    if (!wanted || matchesPlatform(wanted, image)) return image;
    const sibling = this.#sibling(text, image, wanted);
    if (sibling) return sibling;
    throw new EngineError(
      "not_found",
      `image with reference ${text} was found but its platform (${formatPlatform(image)}) does not match the specified platform (${asked})`,
    );
  }

  #sibling(text: string, image: ImageRecord, wanted: WantedPlatform): ImageRecord | undefined {
    const target = this.isId(text, image) ? undefined : this.#recordOf(text)?.targetDigest;
    const entries = new Set((target === undefined ? undefined : this.indexes.entries(target))?.map(({ digest }) => digest));
    return this.list().find((other) => entries.has(other.manifestDigest) && matchesPlatform(wanted, other));
  }

  /** @throws {EngineError} `not_found` with the text that makes clients pull */
  resolveForRun(text: string, platform: string | undefined): RunnableImage {
    if (text === "") throw new EngineError("invalid", "config.Image cannot be empty");
    const image = platform ? this.findFor(text, parsePlatform(platform), platform) : this.find(text);
    const { architecture, os, variant } = image;
    return {
      id: image.id,
      manifestDigest: image.manifestDigest,
      platform: { os, architecture, ...(variant !== undefined && { variant }) },
      diffIds: image.layers.map((layer) => layer.diffId),
      runConfig: this.config(image.id).config ?? {},
    };
  }

  /** Makes an image known: content and layers are on disk already. Names move to it. */
  async add(image: ImageRecord, config: ImageConfig, references: readonly ImageReferenceRecord[], action: "load" | "pull"): Promise<void> {
    const { store, events } = this.#deps;
    this.#configs.set(image.id, config);
    const known = this.peek(image.id);
    const replaced = this.#targetsOf(references.map(({ reference }) => reference));
    await store.update((transaction) => {
      transaction.put("image", image.id, { ...known, ...image, lastTaggedNano: String(BigInt(Date.now()) * 1_000_000n) });
      for (const record of references) transaction.put("image_reference", record.reference, record);
    });
    await this.#kept.removeBlobs(replaced);
    const tag = references.find((record) => !record.reference.includes("@"));
    const named = tag ?? (action === "pull" ? references[0] : undefined);
    const name = named ? familiarReference(parseReference(named.reference)) : image.id;
    events.emit("image", action, action === "pull" ? name : image.id, {
      name: action === "pull" && named ? familiarName(parseReference(named.reference)) : name,
    });
  }

  /** Makes an image known that was made here, its content and layers being on disk already. The name, if it has one, moves to it. */
  async addMade(image: ImageRecord, config: ImageConfig, reference: Reference | undefined, by: "commit" | "import"): Promise<void> {
    const { store, events } = this.#deps;
    const named = reference && formatReference(reference);
    const replaced = this.#targetsOf(named === undefined ? [] : [named]);
    this.#configs.set(image.id, config);
    await store.update((transaction) => {
      const tagged = { lastTaggedNano: String(BigInt(Date.now()) * 1_000_000n) };
      transaction.put("image", image.id, { ...image, ...(named !== undefined && tagged) });
      if (named !== undefined)
        transaction.put("image_reference", named, { reference: named, imageId: image.id, targetDigest: image.manifestDigest });
    });
    await this.#kept.removeBlobs(replaced);
    const emit = (action: string): void => events.emit("image", action, image.id, { ...config.config?.Labels, name: image.id });
    if (by === "commit") emit("create");
    if (reference) events.emit("image", "tag", image.id, { ...config.config?.Labels, name: familiarReference(reference) });
    if (by === "import") emit("import");
  }

  /**
   * A tag is in its registry now, with these layers and this manifest: what was known of them before is replaced, and the image has a name by
   * its digest there. Nothing when the image is gone meanwhile.
   */
  async recordPush(image: ImageRecord, { domain, path, tag }: Pick<Reference, "domain" | "path" | "tag">): Promise<void> {
    const known = this.peek(image.id);
    if (!known) return;
    const { manifestDigest, manifestMediaType, layers, referrers } = image;
    const tagged = formatReference({ domain, path, ...(tag !== undefined && { tag }) });
    const byDigest = `${domain}/${path}@${manifestDigest}`;
    const replaced = this.#targetsOf([tagged, byDigest]);
    await this.#deps.store.update((transaction) => {
      transaction.put("image", known.id, {
        ...known,
        manifestDigest,
        manifestMediaType,
        layers,
        ...(referrers && referrers.length > 0 && { referrers }),
      });
      for (const record of this.references(known.id)) {
        const isOfBefore = record.targetDigest === known.manifestDigest && !record.reference.includes("@");
        if (isOfBefore || record.reference === tagged)
          transaction.put("image_reference", record.reference, { ...record, targetDigest: manifestDigest });
      }
      transaction.put("image_reference", byDigest, { reference: byDigest, imageId: known.id, targetDigest: manifestDigest });
    });
    await this.#kept.removeBlobs(replaced);
  }

  /** Keeps artifacts with an image whose content is on disk already; nothing when the image is gone meanwhile. */
  async addReferrers(id: string, referrers: readonly ReferrerRecord[]): Promise<void> {
    await this.#deps.store.update((transaction) => {
      const known = this.peek(id);
      if (known) transaction.put("image", id, { ...known, referrers: withReferrers(known.referrers ?? [], referrers) });
    });
  }

  /** @throws {EngineError} `not_found`, `invalid` with Docker's texts */
  async tag(source: string, repository: string, tag: string): Promise<void> {
    const image = this.find(source);
    const reference = newTag(repository, tag);
    const full = formatReference(reference);
    // The other platforms of a name that came by an index are those of its new name too.
    const targetDigest = (this.isId(source, image) ? undefined : this.#recordOf(source)?.targetDigest) ?? image.manifestDigest;
    const replaced = this.#targetsOf([full]);
    await this.#deps.store.update((transaction) => {
      transaction.put("image_reference", full, { reference: full, imageId: image.id, targetDigest });
      transaction.put("image", image.id, { ...image, lastTaggedNano: String(BigInt(Date.now()) * 1_000_000n) });
    });
    await this.#kept.removeBlobs(replaced);
    this.#deps.events.emit("image", "tag", image.id, { ...this.labels(image.id), name: familiarReference(reference) });
  }

  /** @see ImageRemoval.remove */
  remove(
    text: string,
    options: { readonly force: boolean; readonly prune: boolean },
    users: (imageId: string) => readonly ImageUser[],
  ): Promise<RemovedImage[]> {
    return this.#removal.remove(text, options, users);
  }

  /** The record of an image is gone. */
  forgetConfig(id: string): void {
    this.#configs.delete(id);
  }

  /** True when an image was made from it here, and is still there. */
  hasChildren(id: string): boolean {
    return this.list().some(({ parent }) => parent === id);
  }

  /** Without a name, and others were made from it: it goes with the last of them, and is not listed until then. */
  isIntermediate(id: string): boolean {
    return this.references(id).length === 0 && this.hasChildren(id);
  }

  /** True when the text is, or begins, the image's id. */
  isId(text: string, image: ImageRecord): boolean {
    return isDigest(text) || (/^[0-9a-f]+$/.test(text) && image.id.startsWith(`sha256:${text}`));
  }

  /** What these names stand for now. */
  #targetsOf(references: readonly string[]): string[] {
    return references.flatMap((reference) => this.named(reference)?.targetDigest ?? []);
  }

  announcePrune(reclaimedBytes: number): void {
    this.#deps.events.emit("image", "prune", "", { reclaimed: String(reclaimedBytes) });
  }

  /** @see KeptContent.release */
  release(lease: ImageLease): Promise<void> {
    return this.#kept.release(lease);
  }

  /** @see KeptContent.collectGarbage */
  collectGarbage(): Promise<void> {
    return this.#kept.collectGarbage();
  }

  /** A container is gone whose image was removed before by force: its layers have nobody now. */
  async releaseLayers(diffIds: readonly string[]): Promise<void> {
    await this.#kept.removeLayers(chainIds(diffIds.map(parseDigest)).reverse());
  }

  /** @see KeptContent.layersOfContainers */
  layersOfContainers(without: ReadonlySet<string>): ReadonlySet<string> {
    return this.#kept.layersOfContainers(without);
  }

  async #readConfig(id: Digest): Promise<ImageConfig> {
    const bytes = await this.#deps.content.read(id, documentLimitBytes);
    return parseImageConfig(bytes);
  }
}

/** A name that an image is to have. @param tag  may be empty @throws {EngineError} `invalid` with Docker's texts */
export function newTag(repository: string, tag: string): Reference {
  const named = parseReference(repository);
  if (named.digest) throw new EngineError("invalid", "cannot import digest reference");
  const reference = tag === "" ? withDefaultTag(named) : withTag(named, tag);
  if (familiarName(reference) === "sha256")
    throw new EngineError("invalid", "refusing to create an ambiguous tag using digest algorithm as name");
  return reference;
}

/** A reference as Docker repeats it in messages: with the tag it was completed by. */
function shownReference(text: string): string {
  if (/^(sha256:)?[0-9a-f]{64}$/.test(text)) return text;
  return familiarReference(withDefaultTag(parseReference(text)));
}
