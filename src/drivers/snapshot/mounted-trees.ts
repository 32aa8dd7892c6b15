import { basename, dirname, relative } from "node:path";
import { isDigest } from "#lib/digest.ts";
import { readMounts, type MountInfo } from "#os/mount.ts";
import type { LayerPaths } from "./layer-store.ts";
import type { ChainId } from "./types.ts";

/** What the kernel has mounted of this data root. */
export interface MountedNow {
  /** Merged tree → its layers, lowest first. */
  readonly trees: ReadonlyMap<string, readonly ChainId[]>;
  readonly layers: ReadonlySet<ChainId>;
  /** Whatever is mounted there. */
  readonly targets: ReadonlySet<string>;
  /** Mount points of layers, once for each mount beyond the first. */
  readonly covered: readonly string[];
}

/** Reads /proc/self/mountinfo. Mounts of others, and of other data roots, are not seen. */
export function readMounted(paths: LayerPaths, mounts: readonly MountInfo[] = readMounts()): MountedNow {
  const trees = new Map<string, readonly ChainId[]>();
  const layers = new Set<ChainId>();
  const covered: string[] = [];
  for (const mount of mounts) {
    if (mount.type === "overlay") {
      const chain = lowersOf(mount.superOptions).map((lower) => chainOfFolder(paths, lower));
      const known = chain.filter((chainId) => chainId !== undefined);
      const isOurs = lowersOf(mount.superOptions).some((lower) => isEmptyLower(paths, lower) || chainOfFolder(paths, lower) !== undefined);
      if (isOurs) trees.set(mount.target, known.toReversed());
    }
    const layer = mount.type === "erofs" ? chainOfFolder(paths, mount.target) : undefined;
    if (layer && layers.has(layer)) covered.push(mount.target);
    if (layer) layers.add(layer);
  }
  return { trees, layers, covered, targets: new Set(mounts.map(({ target }) => target)) };
}

/** Top first. `lowerdir+=` once per layer from Linux 6.8, before that one list with colons. */
function lowersOf(superOptions: string): string[] {
  return superOptions.split(",").flatMap((option) => {
    if (option.startsWith("lowerdir+=")) return [option.slice("lowerdir+=".length)];
    return option.startsWith("lowerdir=") ? option.slice("lowerdir=".length).split(":") : [];
  });
}

/** What stands below a container of an image without layers. */
function isEmptyLower(paths: LayerPaths, lower: string): boolean {
  return lower === paths.empty || lower === `${paths.mapped}/${basename(paths.empty)}`;
}

/** Chain id of a layer's mount point (`mounts/HEX`, with other ids `mapped/HEX`) or files (`chains/HEX/fs`). */
function chainOfFolder(paths: LayerPaths, folder: string): ChainId | undefined {
  const isMount = [paths.mounts, paths.mapped].includes(dirname(folder));
  const isFiles = relative(paths.chains, folder).endsWith("/fs");
  const name = isMount ? basename(folder) : isFiles ? relative(paths.chains, dirname(folder)) : "";
  const digest = `sha256:${name}`;
  return isDigest(digest) ? digest : undefined;
}
