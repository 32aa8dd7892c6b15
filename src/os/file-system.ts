import { statfsSync } from "node:fs";
import { readMounts } from "./mount.ts";

/** Size and free space of the file system a path lies on. */
export function freeBytes(path: string): { readonly totalBytes: number; readonly availableBytes: number } {
  const stat = statfsSync(path);
  return { totalBytes: stat.blocks * stat.bsize, availableBytes: stat.bavail * stat.bsize };
}

/** Type of the file system a path lies on, as the mount table names it. */
export function backingFileSystem(path: string): string {
  const below = readMounts().filter((mount) => mount.target === "/" || path === mount.target || path.startsWith(`${mount.target}/`));
  const nearest = below.reduce<(typeof below)[number] | undefined>(
    (best, mount) => (best && best.target.length > mount.target.length ? best : mount),
    undefined,
  );
  return nearest?.type ?? "unknown";
}
