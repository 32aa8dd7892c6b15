import { sha256 } from "#lib/digest.ts";
import type { ChainId, DiffId } from "./types.ts";

/** Chain ids of layers, lowest first. Source: OCI image-spec, config.md, "Layer ChainID". */
export function chainIds(layers: readonly DiffId[]): ChainId[] {
  const chain: ChainId[] = [];
  for (const layer of layers) chain.push(chainIdOn(chain.at(-1), layer));
  return chain;
}

/** Chain id of a layer on its parent; the lowest layer has none. */
export function chainIdOn(parent: ChainId | undefined, layer: DiffId): ChainId {
  return parent === undefined ? layer : sha256(`${parent} ${layer}`);
}
