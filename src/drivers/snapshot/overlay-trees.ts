import { existsSync } from "node:fs";
import { rm } from "node:fs/promises";
import { basename, dirname } from "node:path";
import { mountIdmappedOverlay } from "#os/idmapped-overlay.ts";
import { bindMount, mountOverlay, type OverlayOptions } from "#os/mount.ts";
import type { IdMap } from "#types/record/id-map.ts";
import { prepareUpper } from "./container-folders.ts";
import type { LayerPaths } from "./layer-store.ts";
import type { RootTrees } from "./root-trees.ts";
import type { MountOptions } from "./types.ts";
import { wholeMark } from "./vfs/whole-upper.ts";

/** So that the upper alone tells what a container changed, and can be mounted again elsewhere (README, "Options"). */
export const overlayOptions = ["index=off", "redirect_dir=nofollow", "metacopy=off", "xino=off"] as const;

/** Layers as the lowers of overlays, each of which has the files of its own. Mounted in process: the kernel waits for nothing. */
export class OverlayTrees implements RootTrees {
  readonly #paths: LayerPaths;

  constructor(paths: LayerPaths) {
    this.#paths = paths;
  }

  async mount(folders: readonly string[], options: MountOptions): Promise<void> {
    if (!options.prepared) await this.#prepare(options);
    const overlay = {
      lowers: folders.length > 0 ? folders : [this.#paths.empty],
      upper: options.upper,
      work: options.work,
      target: options.target,
      options: options.volatile ? [...overlayOptions, "volatile"] : overlayOptions,
    };
    if (options.idMap) this.#mountMapped(overlay, options.idMap);
    else mountOverlay(overlay);
  }

  /** Without an upper, overlayfs wants two different lowers. */
  async mountView(folders: readonly string[], target: string, map: IdMap | undefined): Promise<void> {
    const { empty } = this.#paths;
    if (folders.length === 0) return bindMount(empty, target, true);
    const overlay = { lowers: folders.length > 1 ? folders : [...folders, empty], target, options: overlayOptions };
    if (map) this.#mountMapped(overlay, map);
    else mountOverlay(overlay);
  }

  /** A kill of a daemon with the driver vfs leaves the mark of a copy that was never made. */
  async #prepare(options: MountOptions): Promise<void> {
    const mark = wholeMark(options.upper);
    if (existsSync(mark)) await rm(mark, { force: true });
    await prepareUpper(options);
  }

  #mountMapped(overlay: OverlayOptions, map: IdMap): void {
    const lowers = overlay.lowers.map((folder) => ({ name: layerName(folder), folder }));
    mountIdmappedOverlay({ ...overlay, lowers, map, place: this.#paths.mapped });
  }
}

/** By which `readMounted` knows the layer again: of `mounts/HEX` or `chains/HEX/fs`. */
function layerName(folder: string): string {
  return basename(folder) === "fs" ? basename(dirname(folder)) : basename(folder);
}
