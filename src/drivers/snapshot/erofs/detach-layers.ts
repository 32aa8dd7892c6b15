import { readMounted } from "../mounted-trees.ts";
import type { SnapshotterParts } from "../layer-snapshotter.ts";
import { removeMountPoint } from "./mount-point.ts";

/** For a driver that mounts no layers: those of an earlier one are detached. Trees that stand on them keep them. */
export async function detachErofsLayers({ store, kernel }: Pick<SnapshotterParts, "store" | "kernel">): Promise<void> {
  const { layers, covered } = readMounted(store.paths);
  const targets = [...layers].map((chainId) => store.paths.mount(chainId));
  for (const target of [...covered, ...targets]) await kernel.run({ type: "umount", target });
  for (const target of targets) await removeMountPoint(target);
}
