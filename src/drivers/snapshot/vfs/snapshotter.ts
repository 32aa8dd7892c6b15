import { detachErofsLayers } from "../erofs/detach-layers.ts";
import type { LayerRecord } from "../layer-record.ts";
import { LayerSnapshotter, type SnapshotterParts } from "../layer-snapshotter.ts";

/**
 * Each layer as a folder of all files down to it, each container as a copy of its top layer's: for data roots on which overlayfs cannot write,
 * as on another overlay, NFS or FUSE. What it costs is room and time, and less where the file system can share blocks.
 */
export class VfsSnapshotter extends LayerSnapshotter {
  readonly name = "vfs";
  protected override readonly form = "whole";

  static async open(parts: SnapshotterParts): Promise<VfsSnapshotter> {
    await detachErofsLayers(parts);
    return new VfsSnapshotter(parts);
  }

  protected override canShow(record: LayerRecord): boolean {
    return record.form === "whole";
  }

  protected override readyFolder(record: LayerRecord): string | undefined {
    return this.store.paths.files(record.chainId);
  }

  protected override async prepareLayer(): Promise<void> {
    // Folders are there.
  }

  protected override async releaseLayer(): Promise<void> {
    // Folders take nothing.
  }

  protected override async renewLayer(): Promise<void> {
    // The next copy is made of the folder that is there then.
  }
}
