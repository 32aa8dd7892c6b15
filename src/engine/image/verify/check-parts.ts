import { availableParallelism } from "node:os";
import type { HelperPool } from "#drivers/snapshot/helper-process.ts";
import { Semaphore } from "#lib/async.ts";
import { keyOf, type BlobPart, type LayerPart, type Part, type Stores } from "./parts.ts";
import type { Damage } from "./report.ts";

/** For one helper process: many small files, or one large one. */
const batchBytes = 64 << 20;
const batchParts = 64;

export interface PartChecks extends Stores {
  readonly helpers: HelperPool;
  readonly onChecked: (part: Part) => void;
}

/** Diff id of a layer and the place of a blob are asked of the stores; the rest is what the check found. */
export type PartDamages = ReadonlyMap<string, readonly Omit<Damage, "object" | "digest">[]>;

/**
 * Reads parts again and compares them with their digests, in helper processes: all cores but one, so that pulls go on. What is damaged is not
 * there for others from then on.
 * @returns damages by the parts' keys
 */
export async function checkParts(parts: readonly Part[], checks: PartChecks, signal: AbortSignal): Promise<PartDamages> {
  const slots = new Semaphore(Math.max(1, availableParallelism() - 1));
  const found = new Map<string, readonly Omit<Damage, "object" | "digest">[]>();
  const failed = new AbortController();
  const either = AbortSignal.any([signal, failed.signal]);
  const checkOne = async (batch: Batch): Promise<void> => {
    either.throwIfAborted();
    const damages = batch.type === "layer" ? await checkLayers(batch.parts, checks, either) : await checkBlobs(batch.parts, checks, either);
    for (const [key, damage] of damages) found.set(key, damage);
    for (const part of batch.parts) checks.onChecked(part);
  };
  const running = batchesOf(parts).map((batch) => slots.run(() => checkOne(batch)));
  for (const one of running) one.catch((error: unknown) => failed.abort(error));
  await Promise.allSettled(running);
  signal.throwIfAborted();
  if (failed.signal.aborted) throw failed.signal.reason;
  return found;
}

type Batch =
  { readonly type: "layer"; readonly parts: readonly LayerPart[] } | { readonly type: "blob"; readonly parts: readonly BlobPart[] };

function batchesOf(parts: readonly Part[]): Batch[] {
  const layers = parts.filter((part) => part.type === "layer");
  const blobs = parts.filter((part) => part.type === "blob");
  return [
    ...packed(layers).map((batch): Batch => ({ type: "layer", parts: batch })),
    ...packed(blobs).map((batch): Batch => ({ type: "blob", parts: batch })),
  ];
}

/** In their order, each batch up to its limits. */
export function packed<P extends { readonly sizeBytes: number }>(parts: readonly P[]): P[][] {
  const batches: P[][] = [];
  let bytes = 0;
  for (const part of parts) {
    const last = batches.at(-1);
    bytes += part.sizeBytes;
    if (last && last.length < batchParts && bytes <= batchBytes) last.push(part);
    else {
      batches.push([part]);
      bytes = part.sizeBytes;
    }
  }
  return batches;
}

async function checkLayers(parts: readonly LayerPart[], { snapshots }: PartChecks, signal: AbortSignal): Promise<PartDamages> {
  const found = await snapshots.findDamage(
    parts.map(({ chainId }) => chainId),
    signal,
  );
  return new Map(
    parts.map((part) => [
      keyOf(part),
      (found.get(part.chainId) ?? []).map(({ isMissing, reason, file }) => ({ state: stateOf(isMissing), reason, file })),
    ]),
  );
}

async function checkBlobs(parts: readonly BlobPart[], { content, helpers }: PartChecks, signal: AbortSignal): Promise<PartDamages> {
  const found = new Map<string, readonly Omit<Damage, "object" | "digest">[]>();
  const request = parts.map(({ digest }) => ({ digest, path: content.path(digest) }));
  for (const [index, damage] of (await helpers.run("verify-blobs", request, signal)).entries()) {
    const part = parts[index];
    if (!part || !damage) continue;
    if (!damage.isMissing) await content.quarantine(part.digest);
    found.set(keyOf(part), [{ state: stateOf(damage.isMissing), reason: damage.reason, file: content.path(part.digest) }]);
  }
  return found;
}

const stateOf = (isMissing: boolean): Damage["state"] => (isMissing ? "missing" : "damaged");
