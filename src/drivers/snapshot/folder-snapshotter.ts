import type { LayerRecord } from "./layer-record.ts";
import { LayerSnapshotter } from "./layer-snapshotter.ts";

/** Layers as folders of files, which are there and take nothing. */
export abstract class FolderSnapshotter extends LayerSnapshotter {
  protected override canShow(record: LayerRecord): boolean {
    return record.form === this.form;
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
    // The next tree is made of the folder that is there then.
  }
}
