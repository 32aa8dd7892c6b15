import { rmdir } from "node:fs/promises";
import { LayerSnapshotter, type SnapshotterParts } from "../layer-snapshotter.ts";
import type { LayerRecord } from "../layer-record.ts";
import { readMounted } from "../mounted-trees.ts";
import type { ChainId } from "../types.ts";

/**
 * Layers as EROFS indexes over their tars. Each is mounted when a container first needs it and stays mounted while its image exists, so
 * that a `run` mounts nothing but the container's own tree.
 */
export class ErofsSnapshotter extends LayerSnapshotter {
  readonly name = "erofs";
  readonly #mounted: Set<ChainId>;
  readonly #mounting = new Map<ChainId, Promise<void>>();

  private constructor(parts: SnapshotterParts, mounted: ReadonlySet<ChainId>) {
    super(parts);
    this.#mounted = new Set(mounted);
  }

  /** Adopts the mounts a daemon before this one left, and takes away those of layers that are gone. */
  static async open(parts: SnapshotterParts): Promise<ErofsSnapshotter> {
    const { layers } = readMounted(parts.store.paths);
    const snapshotter = new ErofsSnapshotter(parts, layers);
    for (const chainId of layers) if (!parts.store.get(chainId)) await snapshotter.releaseLayer(chainId);
    return snapshotter;
  }

  protected override readyFolder(record: LayerRecord): string | undefined {
    if (record.form === "unpacked") return this.store.paths.files(record.chainId);
    return this.#mounted.has(record.chainId) ? this.store.paths.mount(record.chainId) : undefined;
  }

  protected override async prepareLayer(record: LayerRecord): Promise<void> {
    const { chainId } = record;
    const running = this.#mounting.get(chainId) ?? this.#mount(record);
    this.#mounting.set(chainId, running);
    try {
      await running;
    } finally {
      this.#mounting.delete(chainId);
    }
  }

  protected override async releaseLayer(chainId: ChainId): Promise<void> {
    if (!this.#mounted.delete(chainId)) return;
    const target = this.store.paths.mount(chainId);
    await this.kernel.run({ type: "umount", target });
    await removeMountPoint(target);
  }

  async #mount({ chainId, diffId }: LayerRecord): Promise<void> {
    const { paths } = this.store;
    await this.kernel.run({ type: "mount-erofs", index: paths.index(chainId), data: paths.tar(diffId), target: paths.mount(chainId) });
    this.#mounted.add(chainId);
  }
}

/** rmdir and nothing stronger: what is mounted there again by now must stay. */
async function removeMountPoint(target: string): Promise<void> {
  try {
    await rmdir(target);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== "ENOENT" && code !== "EBUSY") throw error;
  }
}
