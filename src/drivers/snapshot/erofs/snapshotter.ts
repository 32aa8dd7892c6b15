import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { digestHex } from "#lib/digest.ts";
import type { ErofsLayer } from "#os/erofs-layer.ts";
import { LayerSnapshotter, type SnapshotterParts } from "../layer-snapshotter.ts";
import type { LayerRecord } from "../layer-record.ts";
import { readMounted } from "../mounted-trees.ts";
import type { ChainId } from "../types.ts";
import { removeMountPoint } from "./mount-point.ts";

/**
 * Layers as EROFS indexes over their tars. Each is mounted when a container first needs it and stays mounted while its image exists, so
 * that a `run` mounts nothing but the container's own tree.
 */
export class ErofsSnapshotter extends LayerSnapshotter {
  readonly name = "erofs";
  protected override readonly form = "erofs";
  readonly #mounted: Set<ChainId>;
  readonly #mounting = new Map<ChainId, Promise<void>>();
  readonly #onLoopDevices: boolean;

  private constructor(parts: SnapshotterParts, mounted: ReadonlySet<ChainId>, onLoopDevices: boolean) {
    super(parts);
    this.#mounted = new Set(mounted);
    this.#onLoopDevices = onLoopDevices;
  }

  /**
   * Adopts the mounts a daemon before this one left, and takes away those of layers that are gone.
   * @param onLoopDevices  always, and not only where the kernel does not mount files
   */
  static async open(parts: SnapshotterParts, onLoopDevices: boolean): Promise<ErofsSnapshotter> {
    const { layers, covered } = readMounted(parts.store.paths);
    for (const target of covered) await parts.kernel.run({ type: "umount", target }); // a kill while it was replaced: the new one is below
    const snapshotter = new ErofsSnapshotter(parts, layers, onLoopDevices);
    for (const chainId of layers) if (!parts.store.get(chainId)) await snapshotter.releaseLayer(chainId);
    await snapshotter.#removeEmptyMountPoints();
    return snapshotter;
  }

  protected override canShow(record: LayerRecord): boolean {
    return record.form !== "whole";
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

  /** A kill just before a mount, or just after an unmount, leaves the folder. */
  async #removeEmptyMountPoints(): Promise<void> {
    const { mounts } = this.store.paths;
    const used = new Set([...this.#mounted].map(digestHex));
    for (const name of await readdir(mounts)) if (!used.has(name)) await removeMountPoint(join(mounts, name));
  }

  protected override async renewLayer(record: LayerRecord): Promise<void> {
    await this.#mounting.get(record.chainId);
    if (this.#mounted.has(record.chainId)) await this.kernel.run({ type: "replace-erofs", ...this.#layer(record) });
  }

  async #mount(record: LayerRecord): Promise<void> {
    await this.kernel.run({ type: "mount-erofs", ...this.#layer(record) });
    this.#mounted.add(record.chainId);
  }

  #layer({ chainId, diffId }: LayerRecord): ErofsLayer {
    const { paths } = this.store;
    return {
      index: paths.index(chainId),
      data: paths.tar(diffId),
      target: paths.mount(chainId),
      onLoopDevices: this.#onLoopDevices,
    };
  }
}
