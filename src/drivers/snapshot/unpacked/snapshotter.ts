import { detachErofsLayers } from "../erofs/detach-layers.ts";
import { FolderSnapshotter } from "../folder-snapshotter.ts";
import type { SnapshotterParts } from "../layer-snapshotter.ts";

/** Layers as folders of files, stacked by overlayfs as Docker's driver of that name does. Slower to pull and to remove than EROFS. */
export class UnpackedSnapshotter extends FolderSnapshotter {
  readonly name = "overlay2";
  protected override readonly form = "unpacked";

  static async open(parts: SnapshotterParts): Promise<UnpackedSnapshotter> {
    await detachErofsLayers(parts);
    return new UnpackedSnapshotter(parts);
  }
}
