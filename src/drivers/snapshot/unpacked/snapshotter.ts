import { EngineError } from "#lib/errors.ts";
import type { LayerRecord } from "../layer-record.ts";
import { LayerSnapshotter } from "../layer-snapshotter.ts";

/** Layers as folders of files, for hosts that cannot mount EROFS from a file. Slower to pull and to remove; everything else is the same. */
export class UnpackedSnapshotter extends LayerSnapshotter {
  readonly name = "unpacked";

  protected override readyFolder(record: LayerRecord): string | undefined {
    return record.form === "unpacked" ? this.store.paths.files(record.chainId) : undefined;
  }

  /** A layer that was imported while this host could mount EROFS. */
  protected override async prepareLayer(record: LayerRecord): Promise<void> {
    throw new EngineError("unavailable", `layer ${record.chainId} is stored as EROFS, which this host cannot mount: pull its image again`);
  }

  protected override async releaseLayer(): Promise<void> {
    // Folders take nothing.
  }

  protected override async renewLayer(): Promise<void> {
    // The next tree is made of the folders that are there then.
  }
}
