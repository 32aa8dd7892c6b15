import { mkdir, readdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { bindTree } from "#os/bind-tree.ts";
import type { IdMap } from "#types/record/id-map.ts";
import type { HelperPool } from "../helper-process.ts";
import type { LayerPaths } from "../layer-store.ts";
import type { RootTrees } from "../root-trees.ts";
import type { MountOptions } from "../types.ts";
import { isWholeUpper, partialPrefix } from "./whole-upper.ts";

/** Each container has a copy of its image's files, made with its first mount, and bound where others have an overlay. */
export class CopiedTrees implements RootTrees {
  readonly #helpers: HelperPool;
  readonly #paths: LayerPaths;

  constructor(helpers: HelperPool, paths: LayerPaths) {
    this.#helpers = helpers;
    this.#paths = paths;
  }

  /** @param folders  the first one has all files of the layers; of one that was copied already they are not needed */
  async mount([layer]: readonly string[], { upper, target, idMap, volatile }: MountOptions): Promise<void> {
    await mkdir(target, { recursive: true, mode: 0o755 });
    if (!isWholeUpper(upper)) await this.#copy(layer, upper, !volatile);
    bindTree({ folder: upper, target, readOnly: false, map: idMap });
  }

  async #copy(layer: string | undefined, upper: string, isSynced: boolean): Promise<void> {
    const { signal } = new AbortController();
    const folder = dirname(upper);
    await mkdir(folder, { recursive: true });
    const prefix = partialPrefix(upper);
    for (const path of (await readdir(folder)).map((name) => join(folder, name)))
      if (path.startsWith(prefix)) await this.#helpers.run("remove-tree", { path }, signal); // a kill has left it
    await this.#helpers.run("copy-root", { ...(layer !== undefined && { layer }), upper, isSynced }, signal);
  }

  async mountView([layer]: readonly string[], target: string, map: IdMap | undefined): Promise<void> {
    bindTree({ folder: layer ?? this.#paths.empty, target, readOnly: true, map });
  }
}
