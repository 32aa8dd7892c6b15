import type { ContentStore } from "#drivers/content/types.ts";
import type { MetadataStore } from "#drivers/metadata/store.ts";
import { chainIds } from "#drivers/snapshot/chain-id.ts";
import type { Snapshotter } from "#drivers/snapshot/types.ts";
import { KeyedMutex } from "#lib/async.ts";
import { isDigest, parseDigest, type Digest } from "#lib/digest.ts";
import { EngineError, isKind } from "#lib/errors.ts";
import { shortId } from "#lib/id.ts";
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
import type { ImageRecord, ImageReferenceRecord } from "#types/record/image.ts";
import type { EventBus } from "../event/bus.ts";
import { ImageLeases, type ImageLease } from "./leases.ts";
import { parseImageConfig } from "./parse-config.ts";
import { matchesPlatform, parsePlatform } from "./platform.ts";

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

/** One line of the answer to a removal. */
export type RemovedImage = { readonly Untagged: string } | { readonly Deleted: string };

/** Largest config or manifest that is read. */
export const documentLimitBytes = 4 << 20;

/** Images by id and name. Configs are kept in memory: create reads no disk. */
export class ImageService {
  readonly #deps: ImageDependencies;
  readonly #configs = new Map<string, ImageConfig>();
  readonly #locks = new KeyedMutex();
  /** What pulls and loads under way rely on. */
  readonly leases = new ImageLeases();

  private constructor(deps: ImageDependencies) {
    this.#deps = deps;
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
    return [...this.#deps.store.table("image_reference").values()].filter((record) => record.imageId === id);
  }

  /** What a name in full form (`docker.io/library/busybox:latest`) stands for. */
  named(reference: string): ImageReferenceRecord | undefined {
    return this.#deps.store.table("image_reference").get(reference);
  }

  /** Names in one repository, with tags and by digests, in order. */
  inRepository({ domain, path }: Pick<Reference, "domain" | "path">): ImageReferenceRecord[] {
    const prefix = `${domain}/${path}`;
    return [...this.#deps.store.table("image_reference").values()]
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
    const reference = withDefaultTag(parseReference(text));
    const table = this.#deps.store.table("image_reference");
    const digestOnly: Reference = reference.digest
      ? { domain: reference.domain, path: reference.path, digest: reference.digest }
      : reference;
    const record = table.get(formatReference(reference)) ?? table.get(formatReference(digestOnly));
    return record && this.peek(record.imageId);
  }

  /** @throws {EngineError} `not_found` with the text that makes clients pull */
  resolveForRun(text: string, platform: string | undefined): RunnableImage {
    if (text === "") throw new EngineError("invalid", "config.Image cannot be empty");
    const image = this.find(text);
    if (platform) {
      const wanted = parsePlatform(platform);
      if (!matchesPlatform(wanted, image)) {
        throw new EngineError(
          "not_found",
          `image with reference ${text} was found but its platform (${shownPlatform(image)}) does not match the specified platform (${platform})`,
        );
      }
    }
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
    await store.update((transaction) => {
      transaction.put("image", image.id, { ...known, ...image, lastTaggedNano: String(BigInt(Date.now()) * 1_000_000n) });
      for (const record of references) transaction.put("image_reference", record.reference, record);
    });
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
    this.#configs.set(image.id, config);
    await store.update((transaction) => {
      const tagged = { lastTaggedNano: String(BigInt(Date.now()) * 1_000_000n) };
      transaction.put("image", image.id, { ...image, ...(named !== undefined && tagged) });
      if (named !== undefined)
        transaction.put("image_reference", named, { reference: named, imageId: image.id, targetDigest: image.manifestDigest });
    });
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
    const { manifestDigest, manifestMediaType, layers } = image;
    const tagged = formatReference({ domain, path, ...(tag !== undefined && { tag }) });
    const byDigest = `${domain}/${path}@${manifestDigest}`;
    await this.#deps.store.update((transaction) => {
      transaction.put("image", known.id, { ...known, manifestDigest, manifestMediaType, layers });
      for (const record of this.references(known.id)) {
        const isOfBefore = record.targetDigest === known.manifestDigest && !record.reference.includes("@");
        if (isOfBefore || record.reference === tagged)
          transaction.put("image_reference", record.reference, { ...record, targetDigest: manifestDigest });
      }
      transaction.put("image_reference", byDigest, { reference: byDigest, imageId: known.id, targetDigest: manifestDigest });
    });
  }

  /** @throws {EngineError} `not_found`, `invalid` with Docker's texts */
  async tag(source: string, repository: string, tag: string): Promise<void> {
    const image = this.find(source);
    const reference = newTag(repository, tag);
    const full = formatReference(reference);
    await this.#deps.store.update((transaction) => {
      transaction.put("image_reference", full, { reference: full, imageId: image.id, targetDigest: image.manifestDigest });
      transaction.put("image", image.id, { ...image, lastTaggedNano: String(BigInt(Date.now()) * 1_000_000n) });
    });
    this.#deps.events.emit("image", "tag", image.id, { ...this.labels(image.id), name: familiarReference(reference) });
  }

  /**
   * Docker's rmi: a name is taken away; the last one takes the image with it.
   * @param users  containers of an image: id and whether each runs
   * @throws {EngineError} `conflict` with Docker's texts
   */
  remove(
    text: string,
    options: { readonly force: boolean; readonly prune: boolean },
    users: (imageId: string) => readonly { readonly id: string; readonly running: boolean }[],
  ): Promise<RemovedImage[]> {
    return this.#locks.run("remove", async () => {
      const image = this.find(text);
      const references = this.references(image.id);
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
        if (containers.length > 0 || this.hasChildren(image.id)) return await this.#untag(references, image);
      } else {
        if (this.hasChildren(image.id))
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

  /** True when an image was made from it here, and is still there. */
  hasChildren(id: string): boolean {
    return this.list().some(({ parent }) => parent === id);
  }

  /** Without a name, and others were made from it: it goes with the last of them, and is not listed until then. */
  isIntermediate(id: string): boolean {
    return this.references(id).length === 0 && this.hasChildren(id);
  }

  /** The image that one was made from, and so on, as long as they have no name and no user. */
  async #deleteUnused(id: string | undefined, users: (imageId: string) => readonly unknown[]): Promise<RemovedImage[]> {
    const image = id === undefined ? undefined : this.peek(id);
    if (!image || this.references(image.id).length > 0 || this.hasChildren(image.id) || users(image.id).length > 0) return [];
    const removed = await this.#delete(image);
    return [...removed, ...(await this.#deleteUnused(image.parent, users))];
  }

  #namedReference(text: string, image: ImageRecord): ImageReferenceRecord | undefined {
    if (isDigest(text) || (/^[0-9a-f]+$/.test(text) && image.id.startsWith(`sha256:${text}`))) return undefined;
    const full = formatReference(withDefaultTag(parseReference(text)));
    return this.references(image.id).find((record) => record.reference === full);
  }

  async #untag(references: readonly ImageReferenceRecord[], image: ImageRecord): Promise<RemovedImage[]> {
    await this.#deps.store.update((transaction) => {
      for (const record of references) transaction.remove("image_reference", record.reference);
    });
    for (const _record of references) this.#deps.events.emit("image", "untag", image.id, { ...this.labels(image.id), name: image.id });
    return references.map((record) => ({ Untagged: familiarReference(parseReference(record.reference)) }));
  }

  /** The record first, then layers and blobs no other image has: what a kill leaves in between is collected at the next start. */
  async #delete(image: ImageRecord): Promise<RemovedImage[]> {
    await this.#deps.store.update((transaction) => transaction.remove("image", image.id));
    this.#configs.delete(image.id);
    this.#deps.events.emit("image", "delete", image.id, { name: image.id });
    const removed: RemovedImage[] = [{ Deleted: image.id }];
    const keptLayers = this.#neededLayers();
    for (const layer of [...image.layers].reverse()) {
      if (keptLayers.has(layer.chainId) || this.leases.postpones(layer.chainId)) continue;
      if (await this.#removeLayer(layer.chainId)) removed.push({ Deleted: layer.chainId });
    }
    const keptBlobs = new Set(this.list().flatMap((other) => imageBlobs(other)));
    for (const digest of imageBlobs(image))
      if (!keptBlobs.has(digest) && !this.leases.postpones(digest)) await this.#deps.content.remove(digest);
    return removed;
  }

  /** Ends a pull's or load's lease: layers and blobs that no image came to name are removed. */
  async release(lease: ImageLease): Promise<void> {
    const loose = lease.end();
    const images = this.list();
    const layers = this.#neededLayers();
    const blobs = new Set<string>(images.flatMap((image) => imageBlobs(image)));
    const chains = new Set<string>(loose.length > 0 ? await this.#deps.snapshots.layers() : []);
    for (const name of loose) {
      if (this.leases.postpones(name)) continue; // somebody came meanwhile, and looks at it in turn
      if (chains.has(name) && !layers.has(name)) await this.#removeLayer(name);
      if (!blobs.has(name) && isDigest(name)) await this.#deps.content.remove(name);
    }
  }

  /** False while a container mounts it: a forced removal, or a stopped container whose mount goes with the container. */
  async #removeLayer(chainId: string): Promise<boolean> {
    try {
      await this.#deps.snapshots.removeLayer(parseDigest(chainId));
      return true;
    } catch (error) {
      if (!isKind(error, "conflict")) throw error;
      return false;
    }
  }

  announcePrune(reclaimedBytes: number): void {
    this.#deps.events.emit("image", "prune", "", { reclaimed: String(reclaimedBytes) });
  }

  /** Layers and blobs that no record names: left by a kill, removed at start. */
  async collectGarbage(): Promise<void> {
    const layers = this.#neededLayers();
    for (const chainId of await this.#deps.snapshots.layers()) {
      if (!layers.has(chainId)) await this.#removeLayer(chainId);
    }
    const blobs = new Set(this.list().flatMap((image) => imageBlobs(image)));
    for await (const { digest } of this.#deps.content.list()) if (!blobs.has(digest)) await this.#deps.content.remove(digest);
  }

  /** A container is gone whose image was removed before by force: its layers have nobody now. */
  async releaseLayers(diffIds: readonly string[]): Promise<void> {
    const needed = this.#neededLayers();
    for (const chainId of chainIds(diffIds.map(parseDigest)).reverse()) {
      if (!needed.has(chainId) && !this.leases.postpones(chainId)) await this.#removeLayer(chainId);
    }
  }

  /** Layers of images, and of containers: those of an image removed by force stay as long as a container stands on them. */
  #neededLayers(): ReadonlySet<string> {
    const ofImages = this.list().flatMap((image) => image.layers.map((layer) => layer.chainId));
    const containers = [...this.#deps.store.table("container").values()];
    const ofContainers = containers.flatMap((record) => chainIds(record.layers.map(parseDigest)));
    const mounted = containers.flatMap(({ mounts }) =>
      mounts.flatMap(({ image }) => (image ? chainIds(image.layers.map(parseDigest)) : [])),
    );
    return new Set([...ofImages, ...ofContainers, ...mounted]);
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

function imageBlobs(image: ImageRecord): Digest[] {
  return [image.id, image.manifestDigest, ...image.layers.map((layer) => layer.digest)].filter(isDigest);
}

/** `repo@digest` that came with the tag of the same repository goes with it. */
function isDigestOf(record: ImageReferenceRecord, tag: ImageReferenceRecord): boolean {
  return record.reference.includes("@") && familiarName(parseReference(record.reference)) === familiarName(parseReference(tag.reference));
}

function inUse(
  name: string,
  imageId: string,
  containers: readonly { readonly id: string; readonly running: boolean }[],
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

function shownPlatform({ os, architecture, variant }: ImageRecord): string {
  return [os, architecture, variant].filter(Boolean).join("/");
}

/** A reference as Docker repeats it in messages: with the tag it was completed by. */
function shownReference(text: string): string {
  if (/^(sha256:)?[0-9a-f]{64}$/.test(text)) return text;
  return familiarReference(withDefaultTag(parseReference(text)));
}
