import { detachErofsLayers } from "../erofs/detach-layers.ts";
import { FolderSnapshotter } from "../folder-snapshotter.ts";
import type { SnapshotterParts } from "../layer-snapshotter.ts";

/**
 * Each layer as a folder of all files down to it, each container as a copy of its top layer's: for data roots on which overlayfs cannot write,
 * as on another overlay, NFS or FUSE. What it costs is room and time, and less where the file system can share blocks.
 */
export class VfsSnapshotter extends FolderSnapshotter {
  readonly name = "vfs";
  protected override readonly form = "whole";

  static async open(parts: SnapshotterParts): Promise<VfsSnapshotter> {
    await detachErofsLayers(parts);
    return new VfsSnapshotter(parts);
  }
}
