import type { IdMap } from "#types/record/id-map.ts";
import type { MountOptions } from "./types.ts";

/** A way to show layers as a root file system. */
export interface RootTrees {
  /** With a container's own tree on top. @param folders  of the layers, top first */
  mount(folders: readonly string[], options: MountOptions): Promise<void>;
  /** Read-only. */
  mountView(folders: readonly string[], target: string, idMap: IdMap | undefined): Promise<void>;
}
