import { rm } from "node:fs/promises";
import { join } from "node:path";
import { EngineError } from "#lib/errors.ts";
import { chainIdOn } from "./chain-id.ts";
import type { HelperPool } from "./helper-process.ts";
import type { BuiltLayer, IngestedLayer, IngestRequest, LayerForm } from "./helper-protocol.ts";
import type { LayerRecord } from "./layer-record.ts";
import type { LayerStore } from "./layer-store.ts";
import type { ChainId, LayerSource } from "./types.ts";

export interface LayerImport {
  readonly source: LayerSource;
  readonly parent: ChainId | undefined;
  readonly store: LayerStore;
  readonly helpers: HelperPool;
  readonly form: LayerForm;
  /** Waits for an import of the parent that is under way. */
  readonly waitForParent: () => Promise<unknown>;
  /** Runs with the folders of the layers below, top first. */
  readonly withLowers: <T>(body: (lowers: readonly string[]) => Promise<T>) => Promise<T>;
  readonly signal: AbortSignal;
}

/**
 * Takes in a layer. The layers of an image may come at the same time: reading needs no parent, and what an archive only implies is asked of
 * the layers below when they are there. Nothing stays behind after an error.
 */
export async function importLayer(work: LayerImport): Promise<LayerRecord> {
  const { parent, store, signal } = work;
  const output = await store.temporaryFolder();
  try {
    const ingested = await ingest(work, output);
    await work.waitForParent();
    if (parent !== undefined && !store.get(parent)) throw new EngineError("invalid", `layer's parent ${parent} does not exist`);
    const built = ingested.built ?? (await build(work, output));
    signal.throwIfAborted();
    return await store.commit(recordOf(work, ingested, built), output);
  } finally {
    await rm(output, { recursive: true, force: true });
  }
}

async function ingest(work: LayerImport, output: string): Promise<IngestedLayer> {
  const { source, parent, store, helpers, form, signal } = work;
  const request: IngestRequest = {
    source: source.path,
    offset: source.range?.offset ?? 0,
    output,
    form,
    ...(source.range && { sizeBytes: source.range.sizeBytes }),
    ...(source.expectedDiffId !== undefined && { expectedDiffId: source.expectedDiffId }),
    ...(source.expectedDigest !== undefined && { expectedDigest: source.expectedDigest }),
  };
  const areParentsReady = parent === undefined || store.get(parent) !== undefined;
  if (!areParentsReady) return helpers.run("ingest", request, signal);
  return work.withLowers((lowers) => helpers.run("ingest", { ...request, lowers }, signal));
}

function build({ helpers, form, withLowers, signal }: LayerImport, output: string): Promise<BuiltLayer> {
  return withLowers((lowers) => helpers.run("build", { tar: join(output, "tar"), output, form, lowers }, signal));
}

function recordOf({ parent }: LayerImport, ingested: IngestedLayer, built: BuiltLayer): LayerRecord {
  const { diffId, sizeBytes, digest, compressedBytes } = ingested;
  return {
    version: 1,
    chainId: chainIdOn(parent, diffId),
    diffId,
    parent: parent ?? null,
    form: built.form,
    indexDigest: built.indexDigest,
    sizeBytes,
    digest,
    compressedBytes,
  };
}
