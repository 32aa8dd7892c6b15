import { rm } from "node:fs/promises";
import { EngineError } from "#lib/errors.ts";
import type { Logger } from "#lib/log.ts";
import type { HelperPool } from "./helper-process.ts";
import type { LayerForm } from "./helper-protocol.ts";
import type { LayerRecord } from "./layer-record.ts";
import type { LayerStore } from "./layer-store.ts";
import type { ChainId } from "./types.ts";

export interface ConversionParts {
  readonly store: LayerStore;
  readonly helpers: HelperPool;
  readonly logger: Logger;
  readonly form: LayerForm;
  /** Runs with the folders of the layers below one, top first. */
  readonly withLowers: <T>(parent: ChainId | null, body: (lowers: readonly string[]) => Promise<T>) => Promise<T>;
}

/**
 * Layers that were taken in with another driver are built again from their archives when they are first needed. Trees that stand on the files
 * of before keep them.
 */
export class LayerConversions {
  readonly #parts: ConversionParts;
  readonly #running = new Map<ChainId, Promise<void>>();

  constructor(parts: ConversionParts) {
    this.#parts = parts;
  }

  async convert(record: LayerRecord): Promise<void> {
    const { chainId } = record;
    const running = this.#running.get(chainId) ?? this.#convert(record);
    this.#running.set(chainId, running);
    try {
      await running;
    } finally {
      this.#running.delete(chainId);
    }
  }

  async #convert(record: LayerRecord): Promise<void> {
    const { store, helpers, logger, form, withLowers } = this.#parts;
    const { chainId, diffId, parent } = record;
    logger.info("layer was stored by another storage driver: it is built again from its archive", { layer: chainId });
    if (!(await store.isTarWhole(record)))
      throw new EngineError(
        "unavailable",
        `layer ${chainId} was stored by another storage driver, and its archive is damaged: pull its image again`,
      );
    const output = await store.temporaryFolder();
    try {
      const { signal } = new AbortController();
      const built = await withLowers(parent, (lowers) =>
        helpers.run("build", { tar: store.paths.tar(diffId), output, form, lowers }, signal),
      );
      await store.replaceFiles(record, { ...record, ...built }, output);
    } finally {
      await rm(output, { recursive: true, force: true });
    }
  }
}
