import type { HelperPool } from "./helper-process.ts";
import type { LayerDamage, VerifyRequest } from "./helper-protocol.ts";
import type { LayerRecord } from "./layer-record.ts";
import type { LayerStore } from "./layer-store.ts";
import type { ChainId } from "./types.ts";

export interface LayerVerification {
  readonly store: LayerStore;
  readonly helpers: HelperPool;
  /** Runs with folders of the layers' files, top first. */
  readonly withLayers: <T>(chain: readonly ChainId[], body: (folders: readonly string[]) => Promise<T>) => Promise<T>;
}

type Damages = ReadonlyMap<LayerRecord, readonly LayerDamage[]>;

/** Looks for damage in layers: those with an index in one helper process, since they need no others, others each in its own. */
export async function verifyLayers(records: readonly LayerRecord[], work: LayerVerification, signal: AbortSignal): Promise<Damages> {
  const indexed = records.filter(({ form }) => form === "erofs");
  const found = new Map<LayerRecord, readonly LayerDamage[]>();
  const results = indexed.length === 0 ? [] : await work.helpers.run("verify", requestsFor(indexed, work, []), signal);
  for (const [index, record] of indexed.entries()) found.set(record, results[index] ?? []);
  for (const record of records) if (record.form !== "erofs") found.set(record, await verifyFiles(record, work, signal));
  for (const record of records) {
    const damage = await work.store.recordDamage(record);
    if (damage) found.set(record, [...(found.get(record) ?? []), damage]);
  }
  return found;
}

/** Its files were written with the help of the layers below. */
async function verifyFiles(record: LayerRecord, work: LayerVerification, signal: AbortSignal): Promise<readonly LayerDamage[]> {
  const below = record.parent === null ? [] : work.store.ancestry(record.parent).reverse();
  return work.withLayers(below, async (lowers) => {
    const [damages = []] = await work.helpers.run("verify", requestsFor([record], work, lowers), signal);
    return damages;
  });
}

function requestsFor(records: readonly LayerRecord[], { store }: LayerVerification, lowers: readonly string[]): VerifyRequest[] {
  const { paths } = store;
  return records.map(({ chainId, diffId, form, indexDigest, parent, sizeBytes }) => {
    const content = form === "erofs" ? paths.index(chainId) : paths.files(chainId);
    const below = form === "whole" && parent !== null ? store.ancestry(parent).reverse() : [];
    const tarsBelow = below.map((ancestor) => paths.tar(store.need(ancestor).diffId));
    return { tar: paths.tar(diffId), sizeBytes, diffId, form, content, indexDigest, lowers, tarsBelow };
  });
}
