import { mkdirSync, readdirSync, rmdirSync, unlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { isDiskFull } from "#lib/disk.ts";
import { messageOf } from "#lib/errors.ts";
import type { Kernel } from "#os/kernel.ts";
import { mountOverlay } from "#os/mount.ts";
import { overlayOptions } from "./overlay-trees.ts";

/**
 * Why containers cannot write into overlays whose upper is on this file system (another overlay, NFS, FUSE); undefined when they can. Told by
 * a directory of a lower that is replaced, for which overlayfs needs devices and attributes.
 * @param folder  an existing one, for the probe alone. @throws for a full disk, on which nothing can be tried
 */
export async function upperLack(folder: string, kernel: Kernel): Promise<string | undefined> {
  const [lower, upper, work, target] = ["lower", "upper", "work", "merged"].map((name) => join(folder, name)) as [
    string,
    string,
    string,
    string,
  ];
  try {
    for (const path of [lower, upper, work, target, join(lower, "d")]) mkdirSync(path);
    writeFileSync(join(lower, "d/hidden"), "");
    mountOverlay({ lowers: [lower], upper, work, target, options: [...overlayOptions, "volatile"] });
  } catch (error) {
    if (isDiskFull(error)) throw error;
    return messageOf(error);
  }
  try {
    return replaceDirectory(join(target, "d"));
  } catch (error) {
    if (isDiskFull(error)) throw error;
    return messageOf(error);
  } finally {
    await kernel.run({ type: "umount", target });
  }
}

function replaceDirectory(path: string): string | undefined {
  unlinkSync(join(path, "hidden"));
  rmdirSync(path);
  mkdirSync(path);
  return readdirSync(path).length === 0 ? undefined : "an overlay cannot hide files of the layers below";
}
