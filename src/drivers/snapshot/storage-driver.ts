import { readFileSync } from "node:fs";
import { EngineError } from "#lib/errors.ts";

/** As `docker info` tells it. */
export type StorageDriverName = "erofs" | "overlay2" | "vfs";

/** The setting. `erofs-loop`: through loop devices, also where the kernel would mount the files themselves. */
export type StorageDriver = StorageDriverName | "erofs-loop";

const drivers: ReadonlyMap<string, StorageDriver> = new Map<string, StorageDriver>([
  ["erofs", "erofs"],
  ["erofs-loop", "erofs-loop"],
  ["overlay2", "overlay2"],
  ["overlayfs", "overlay2"], // as Docker calls it where containerd keeps the images
  ["vfs", "vfs"],
]);

/** Drivers that Docker has or had, and why they are none here. */
const others: ReadonlyMap<string, () => string> = new Map([
  ["aufs", aufsLack],
  ["btrfs", () => "layers are not kept as subvolumes; overlay2 works on btrfs too"],
  ["devicemapper", () => "Docker has removed it in favour of overlay2"],
  ["fuse-overlayfs", () => "it is for daemons that are not root"],
  ["overlay", () => "Docker has removed it in favour of overlay2"],
  ["windowsfilter", () => "it is for Windows"],
  ["zfs", () => "layers are not kept as datasets; overlay2 works on OpenZFS 2.2 and later, vfs on all"],
]);

/** @throws {EngineError} `invalid` saying what to do */
export function parseStorageDriver(name: string): StorageDriver {
  const driver = drivers.get(name);
  if (driver !== undefined) return driver;
  const lack = others.get(name)?.();
  if (lack === undefined)
    throw new EngineError("invalid", `invalid storage-driver ${JSON.stringify(name)}: use one of erofs, erofs-loop, overlay2, vfs`);
  throw new EngineError("invalid", `storage driver ${name} is not supported: ${lack}. Use overlay2, or leave storage-driver out`);
}

function aufsLack(): string {
  const isInKernel = readFileSync("/proc/filesystems", "utf8").includes("\taufs\n");
  return isInKernel ? "Docker has removed it in favour of overlay2" : "this kernel has no aufs";
}
