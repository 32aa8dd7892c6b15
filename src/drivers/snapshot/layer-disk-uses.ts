import { allocatedBytes, treeUsage } from "#os/tree-usage.ts";
import type { LayerRecord } from "./layer-record.ts";
import type { LayerStore } from "./layer-store.ts";
import type { LayerDiskUse } from "./types.ts";

/** Measures layers on the disk. Unpacked ones have many files, which do not change: they are counted once. */
export class LayerDiskUses {
  readonly #store: LayerStore;
  readonly #own = new WeakMap<LayerRecord, number>();

  constructor(store: LayerStore) {
    this.#store = store;
  }

  async measure(): Promise<LayerDiskUse[]> {
    const uses: LayerDiskUse[] = [];
    for (const chainId of this.#store.list()) {
      const record = this.#store.get(chainId);
      if (!record) continue; // removed meanwhile
      const { diffId } = record;
      uses.push({
        chainId,
        diffId,
        ownBytes: await this.#ownBytes(record),
        tarBytes: await allocatedBytes(this.#store.paths.tar(diffId)),
      });
    }
    return uses;
  }

  async #ownBytes(record: LayerRecord): Promise<number> {
    const known = this.#own.get(record);
    if (known !== undefined) return known;
    const folder = this.#store.paths.chain(record.chainId);
    const bytes = (await allocatedBytes(folder)) + (await treeUsage(folder)).allocatedBytes;
    this.#own.set(record, bytes);
    return bytes;
  }
}
