import { chainIds } from "#drivers/snapshot/chain-id.ts";
import { isDigest, parseDigest, type Digest } from "#lib/digest.ts";
import { isKind } from "#lib/errors.ts";
import type { ImageRecord } from "#types/record/image.ts";
import type { ImageLease, ImageLeases } from "./leases.ts";
import type { ImageIndexes } from "./platforms/indexes.ts";
import type { ImageDependencies } from "./service.ts";

/** Layers and blobs on the disk: they stay as long as a record needs them, or somebody at work. */
export class KeptContent {
  readonly #deps: Pick<ImageDependencies, "store" | "content" | "snapshots">;
  readonly #leases: ImageLeases;
  readonly #indexes: ImageIndexes;

  constructor(deps: Pick<ImageDependencies, "store" | "content" | "snapshots">, leases: ImageLeases, indexes: ImageIndexes) {
    this.#deps = deps;
    this.#leases = leases;
    this.#indexes = indexes;
  }

  /**
   * Takes away those of these layers that nobody needs or holds. All are begun in the moment in which that is decided: an image that comes
   * meanwhile finds them gone, and brings them again. Of an image that came between two of them the second would be taken.
   * @returns those that are gone
   */
  async removeLayers(chain: readonly string[]): Promise<string[]> {
    const needed = this.#neededLayers();
    const unneeded = chain.filter((chainId) => !needed.has(chainId) && !this.#leases.postpones(chainId));
    const areGone = await Promise.all(unneeded.map((chainId) => this.#removeLayer(chainId)));
    return unneeded.filter((_, index) => areGone[index]);
  }

  /** As `removeLayers`. */
  async removeBlobs(digests: Iterable<string>): Promise<void> {
    const needed = this.#neededBlobs();
    const unneeded = [...new Set(digests)].filter(isDigest).filter((digest) => !needed.has(digest) && !this.#leases.postpones(digest));
    await Promise.all(unneeded.map((digest) => this.#removeBlob(digest)));
  }

  async #removeBlob(digest: Digest): Promise<void> {
    this.#indexes.forget(digest);
    await this.#deps.content.remove(digest);
  }

  /** Of images, and the indexes that names stand for. */
  #neededBlobs(): ReadonlySet<string> {
    return new Set([...this.#images().flatMap((image) => imageBlobs(image)), ...this.targets()]);
  }

  /** What names stand for. */
  targets(): string[] {
    return [...this.#deps.store.table("image_reference").values()].map(({ targetDigest }) => targetDigest);
  }

  /** Ends a pull's or load's lease: layers and blobs that no image came to name are removed. */
  async release(lease: ImageLease): Promise<void> {
    const chains = new Set<string>(await this.#deps.snapshots.layers());
    const loose = lease.end();
    if (loose.length > 0) await Promise.all([this.removeLayers(loose.filter((name) => chains.has(name))), this.removeBlobs(loose)]);
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

  /** Layers and blobs that no record names: left by a kill, removed at start. */
  async collectGarbage(): Promise<void> {
    const layers = this.#neededLayers();
    for (const chainId of await this.#deps.snapshots.layers()) {
      if (!layers.has(chainId)) await this.#removeLayer(chainId);
    }
    const blobs = this.#neededBlobs();
    for (const stored of [this.#deps.content.list(), this.#deps.content.quarantined()])
      for await (const { digest } of stored) if (!blobs.has(digest)) await this.#removeBlob(digest);
  }

  /** Layers of images, and of containers: those of an image removed by force stay as long as a container stands on them. */
  #neededLayers(): ReadonlySet<string> {
    return new Set([...this.#images().flatMap((image) => image.layers.map((layer) => layer.chainId)), ...this.layersOfContainers()]);
  }

  /** @param without  containers that are taken for removed */
  layersOfContainers(without: ReadonlySet<string> = new Set()): ReadonlySet<string> {
    const containers = [...this.#deps.store.table("container").values()].filter(({ id }) => !without.has(id));
    const ofContainers = containers.flatMap((record) => chainIds(record.layers.map(parseDigest)));
    const mounted = containers.flatMap(({ mounts }) =>
      mounts.flatMap(({ image }) => (image ? chainIds(image.layers.map(parseDigest)) : [])),
    );
    return new Set([...ofContainers, ...mounted]);
  }

  #images(): ImageRecord[] {
    return [...this.#deps.store.table("image").values()];
  }
}

export function imageBlobs(image: ImageRecord): Digest[] {
  const artifacts = (image.referrers ?? []).flatMap(({ digest, blobs }) => [digest, ...blobs.map((blob) => blob.digest)]);
  return [image.id, image.manifestDigest, ...image.layers.map((layer) => layer.digest), ...artifacts].filter(isDigest);
}
