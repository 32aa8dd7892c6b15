import { detachErofsLayers } from "../erofs/detach-layers.ts";
import type { LayerRecord } from "../layer-record.ts";
import { LayerSnapshotter, type SnapshotterParts } from "../layer-snapshotter.ts";

/** Layers as folders of files, stacked by overlayfs as Docker's driver of that name does. Slower to pull and to remove than EROFS. */
export class UnpackedSnapshotter extends LayerSnapshotter {
  readonly name = "overlay2";
  protected override readonly form = "unpacked";

  static async open(parts: SnapshotterParts): Promise<UnpackedSnapshotter> {
    await detachErofsLayers(parts);
    return new UnpackedSnapshotter(parts);
  }

  protected override canShow(record: LayerRecord): boolean {
    return record.form === "unpacked";
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
    // The next tree is made of the folders that are there then.
  }
}
