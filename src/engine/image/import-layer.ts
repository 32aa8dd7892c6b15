import type { LayerSource } from "#drivers/snapshot/types.ts";
import type { Digest } from "#lib/digest.ts";
import { EngineError, isKind } from "#lib/errors.ts";
import type { ImageTransferDependencies } from "./dependencies.ts";
import type { ImageLease } from "./leases.ts";

export interface LayerImport {
  readonly layer: { readonly diffId: Digest; readonly chainId: Digest; readonly parents: readonly Digest[] };
  readonly lease: ImageLease;
  /** File with the layer's archive, or the range of it. */
  readonly source: Pick<LayerSource, "path" | "range">;
}

/**
 * Has the snapshotter take in one layer; the same layer wanted twice at a time is taken in once.
 * @throws {EngineError} `invalid` with Docker's text for a bad archive or one that is not what the config says; the snapshotter's own
 */
export async function importLayer(
  deps: ImageTransferDependencies,
  { layer, lease, source }: LayerImport,
  signal: AbortSignal,
): Promise<void> {
  const { diffId, chainId, parents } = layer;
  lease.made(chainId);
  try {
    await deps.transfers.imports.join(
      chainId,
      (jobSignal) => deps.snapshots.importLayer({ ...source, parents, expectedDiffId: diffId }, jobSignal),
      () => {},
      signal,
    );
  } catch (error) {
    signal.throwIfAborted();
    if (isKind(error, "invalid")) throw new EngineError("invalid", `failed to register layer: ${error.message}`, { cause: error });
    throw error;
  }
}
