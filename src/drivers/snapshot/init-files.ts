import { closeSync, constants, fchmodSync, fchownSync } from "node:fs";
import { ConfinedDirectory } from "#os/confined.ts";
import { SystemError } from "#os/libc.ts";
import { makeFolderInRoot, openInRoot, openRoot } from "#os/open-in-root.ts";

const { O_DIRECTORY, O_RDONLY } = constants;

export interface Owner {
  readonly uid: number;
  readonly gid: number;
}

/**
 * What every container has beside its image: `/.dockerenv`, by which programs know that they are in one, and `/etc/mtab`. What is there
 * already stays, whatever it is, and links never lead out of the root file system.
 * @param owner  the container's root, where that is not the host's
 * Source: moby, daemon/initlayer.
 */
export function makeInitFiles(rootfs: string, owner?: Owner): void {
  const root = openRoot(rootfs);
  try {
    makeInitFilesIn(root, owner);
  } finally {
    closeSync(root);
  }
}

/**
 * The files, and the places where a runtime mounts what every container has: what a copy or an export shows is the same before a first start and
 * after it. @param root  of the root file system, open
 */
export function makeMountPoints(root: number): void {
  makeInitFilesIn(root);
  for (const path of mountFolders) orNothing(() => makeFolderInRoot(root, path, 0o755));
  for (const path of mountFiles) {
    const slash = path.lastIndexOf("/");
    const name = path.slice(slash + 1);
    inFolder(root, path.slice(0, slash), (folder) => makeEmptyFile(folder, name));
    inFolder(root, path.slice(0, slash), (folder) => openToAll(folder, name));
  }
}

/** What a runtime has made to mount on has a mode of its own (crun: 0700). */
function openToAll(folder: ConfinedDirectory, name: string): void {
  const stat = folder.stat(name);
  if (stat?.isFile() && stat.size === 0n && (stat.mode & 0o777n) === 0o700n) folder.setMode(name, 0o755);
}

function makeInitFilesIn(root: number, owner?: Owner): void {
  inFolder(root, "/", (folder) => makeEmptyFile(folder, ".dockerenv", owner));
  inFolder(root, "/etc", (folder) => {
    folder.makeSymlink("mtab", "/proc/mounts");
    if (owner) folder.setOwner("mtab", owner.uid, owner.gid);
  });
}

function makeEmptyFile(folder: ConfinedDirectory, name: string, owner?: Owner): void {
  const file = folder.createFile(name);
  try {
    if (owner) fchownSync(file, owner.uid, owner.gid);
    fchmodSync(file, 0o755); // not by name: a container that runs may have put a link there
  } finally {
    closeSync(file);
  }
}

/** True for what `makeInitFiles` has made and nobody has written to. @param path  inside the container, from `/` on */
export function isInitFile(path: string, stat: { readonly size: bigint; isSymbolicLink(): boolean }): boolean {
  return (path === "/.dockerenv" && stat.size === 0n) || (path === "/etc/mtab" && stat.isSymbolicLink());
}

/** True for what the daemon or a runtime has made in every container: no change of the container's. */
export function isMadeForAll(
  path: string,
  stat: Parameters<typeof isInitFile>[1] & { isDirectory(): boolean; isFile(): boolean },
): boolean {
  if (stat.isDirectory()) return mountFolders.includes(path);
  return isInitFile(path, stat) || (stat.isFile() && stat.size === 0n && mountFiles.includes(path));
}

/** Where a runtime mounts what every container has. */
const mountFolders: readonly string[] = ["/dev", "/dev/pts", "/dev/shm", "/proc", "/sys"];
const mountFiles: readonly string[] = ["/dev/console", "/etc/hostname", "/etc/hosts", "/etc/resolv.conf"];

function inFolder(root: number, path: string, make: (folder: ConfinedDirectory) => void): void {
  orNothing(() => {
    using folder = ConfinedDirectory.fromDescriptor(openInRoot(root, path === "" ? "/" : path, O_RDONLY | O_DIRECTORY));
    make(folder);
  });
}

/** There already, or an image without the folder: a container can do without. */
function orNothing(make: () => void): void {
  try {
    make();
  } catch (error) {
    if (!(error instanceof SystemError && ["EEXIST", "ENOENT", "ENOTDIR", "ELOOP"].includes(error.code))) throw error;
  }
}
