import { closeSync, constants } from "node:fs";
import { ConfinedDirectory } from "#os/confined.ts";
import { SystemError } from "#os/libc.ts";
import { openInRoot, openRoot } from "#os/open-in-root.ts";

const { O_DIRECTORY, O_RDONLY } = constants;

/**
 * What every container has beside its image: `/.dockerenv`, by which programs know that they are in one, and `/etc/mtab`. What is there
 * already stays, whatever it is, and links never lead out of the root file system.
 * Source: moby, daemon/initlayer.
 */
export function makeInitFiles(rootfs: string): void {
  const root = openRoot(rootfs);
  try {
    inFolder(root, "/", (folder) => {
      const file = folder.createFile(".dockerenv");
      closeSync(file);
      folder.setMode(".dockerenv", 0o755);
    });
    inFolder(root, "/etc", (folder) => folder.makeSymlink("mtab", "/proc/mounts"));
  } finally {
    closeSync(root);
  }
}

/** True for what `makeInitFiles` has made and nobody has written to. @param path  inside the container, from `/` on */
export function isInitFile(path: string, stat: { readonly size: bigint; isSymbolicLink(): boolean }): boolean {
  return (path === "/.dockerenv" && stat.size === 0n) || (path === "/etc/mtab" && stat.isSymbolicLink());
}

function inFolder(root: number, path: string, make: (folder: ConfinedDirectory) => void): void {
  try {
    using folder = ConfinedDirectory.fromDescriptor(openInRoot(root, path, O_RDONLY | O_DIRECTORY));
    make(folder);
  } catch (error) {
    // There already, or an image without the folder: a container can do without.
    if (!(error instanceof SystemError && ["EEXIST", "ENOENT", "ENOTDIR", "ELOOP"].includes(error.code))) throw error;
  }
}
