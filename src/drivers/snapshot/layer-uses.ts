import type { ChainId } from "./types.ts";

/** How often each layer is in use: by merged trees, and by work that reads it. */
export class LayerUses {
  readonly #counts = new Map<ChainId, number>();

  count(chainId: ChainId): number {
    return this.#counts.get(chainId) ?? 0;
  }

  take(chain: readonly ChainId[]): void {
    for (const chainId of chain) this.#counts.set(chainId, this.count(chainId) + 1);
  }

  giveBack(chain: readonly ChainId[]): void {
    for (const chainId of chain) {
      const left = this.count(chainId) - 1;
      if (left > 0) this.#counts.set(chainId, left);
      else this.#counts.delete(chainId);
    }
  }
}
