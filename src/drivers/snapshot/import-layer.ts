import { rename, rm } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { EngineError } from "#lib/errors.ts";
import { checkDigest } from "./check-digest.ts";
import { chainIdOn } from "./chain-id.ts";
import type { HelperPool } from "./helper-process.ts";
import type { BuiltLayer, IngestedLayer, IngestRequest, LayerForm } from "./helper-protocol.ts";
import type { LayerRecord } from "./layer-record.ts";
import type { CommittedLayer, LayerStore } from "./layer-store.ts";
import { StagedLayer } from "./staged-layer.ts";
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
export async function importLayer(work: LayerImport): Promise<CommittedLayer> {
  const { parent, store, signal, source } = work;
  const output = source.staged?.take() ?? (await store.temporaryFolder());
  try {
    const ingested = source.staged?.layer ?? (await ingest(work, output));
    checkDigest("layer blob", ingested.digest, source.expectedDigest);
    checkDigest("layer", ingested.diffId, source.expectedDiffId);
    if (ingested.isInPlace) await rename(source.path, join(output, "tar"));
    await work.waitForParent();
    if (parent !== undefined && !store.get(parent)) throw new EngineError("invalid", `layer's parent ${parent} does not exist`);
    const built = ingested.built && !ingested.newDirectories ? ingested.built : await build(work, ingested, output);
    signal.throwIfAborted();
    return await store.commit(recordOf(work, ingested, built), output);
  } finally {
    await rm(output, { recursive: true, force: true });
  }
}

export interface LayerStaging extends Pick<LayerImport, "store" | "helpers" | "form" | "signal"> {
  readonly source: Pick<LayerSource, "path" | "isGiven">;
}

/** Reads a layer of which nobody knows yet where it stands. Nothing stays behind after an error. */
export async function stageLayer({ store, helpers, form, source, signal }: LayerStaging): Promise<StagedLayer> {
  const output = await store.temporaryFolder();
  try {
    const request = { source: source.path, offset: 0, output, form, isGiven: source.isGiven ?? false };
    return new StagedLayer(await helpers.run("ingest", request, signal), output);
  } catch (error) {
    await rm(output, { recursive: true, force: true });
    throw error;
  }
}

async function ingest(work: LayerImport, output: string): Promise<IngestedLayer> {
  const { source, parent, store, helpers, form, signal } = work;
  const request: IngestRequest = {
    source: source.path,
    offset: source.range?.offset ?? 0,
    output,
    form,
    ...(source.isGiven && { isGiven: true }),
    ...(source.range && { sizeBytes: source.range.sizeBytes }),
    ...(source.expectedDiffId !== undefined && { expectedDiffId: source.expectedDiffId }),
    ...(source.expectedDigest !== undefined && { expectedDigest: source.expectedDigest }),
  };
  // With one processor nothing is won by reading ahead, and a layer that needs those below is built once.
  if (availableParallelism() === 1) await work.waitForParent();
  const areParentsReady = parent === undefined || store.get(parent) !== undefined;
  if (!areParentsReady) return helpers.run("ingest", request, signal);
  return work.withLowers((lowers) => helpers.run("ingest", { ...request, lowers }, signal));
}

async function build(
  { helpers, form, parent, withLowers, signal }: LayerImport,
  { built, newDirectories }: IngestedLayer,
  output: string,
): Promise<BuiltLayer> {
  if (built && parent === undefined) return built; // there is nothing below
  const assumed = built && newDirectories ? { assumed: { built, newDirectories } } : {};
  return withLowers((lowers) => helpers.run("build", { tar: join(output, "tar"), output, form, lowers, ...assumed }, signal));
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
