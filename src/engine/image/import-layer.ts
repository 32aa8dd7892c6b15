import type { ImportedLayer, LayerSource, Snapshotter } from "#drivers/snapshot/types.ts";
import type { Digest } from "#lib/digest.ts";
import { EngineError, isKind } from "#lib/errors.ts";
import type { ImageTransferDependencies } from "./dependencies.ts";
import type { ImageLease } from "./leases.ts";

/** Where a layer's archive is. */
export type LayerFile = Pick<LayerSource, "path" | "range" | "isGiven" | "staged">;

export interface LayerImport {
  readonly layer: { readonly diffId: Digest; readonly chainId: Digest; readonly parents: readonly Digest[] };
  readonly lease: ImageLease;
  readonly source: LayerFile;
}

/**
 * Has the snapshotter take in one layer; the same layer wanted twice at a time is taken in once.
 * @throws {EngineError} `invalid` with Docker's text for a bad archive or one that is not what the config says; the snapshotter's own
 */
export async function importLayer(
  deps: Pick<ImageTransferDependencies, "transfers"> & { readonly snapshots: Pick<Snapshotter, "importLayer"> },
  { layer, lease, source }: LayerImport,
  signal: AbortSignal,
): Promise<ImportedLayer> {
  const { diffId, chainId, parents } = layer;
  lease.made(chainId);
  for (;;) {
    let isOurs = false;
    const begin = (jobSignal: AbortSignal): Promise<ImportedLayer> => {
      isOurs = true;
      return deps.snapshots.importLayer({ ...source, parents, expectedDiffId: diffId }, jobSignal);
    };
    try {
      return await deps.transfers.imports.join(chainId, begin, () => {}, signal);
    } catch (error) {
      signal.throwIfAborted();
      // Somebody else's archive was bad, or has gone with him: then ours is read.
      if (isOurs) throw layerFailure(error, signal);
    }
  }
}

/** Why a layer was not taken in, in Docker's words when its archive is to blame. @throws the signal's reason when it is aborted */
export function layerFailure(error: unknown, signal: AbortSignal): unknown {
  signal.throwIfAborted();
  if (isKind(error, "invalid")) return new EngineError("invalid", `failed to register layer: ${error.message}`, { cause: error });
  return error;
}
