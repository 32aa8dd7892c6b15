import { closeSync, mkdirSync } from "node:fs";
import { SystemError } from "./libc.ts";
import { attachReadOnly } from "./loop.ts";
import { mountErofs, mountFileSystem, replaceErofs } from "./mount.ts";

const MS_RDONLY = 1;
/** What the kernel answers where it mounts block devices alone: for files on tmpfs or overlayfs, and in Linux before 6.12. */
const ENOTBLK = 15;
/** Before 6.13 it stumbles over `directio` first. */
const EINVAL = 22;

export interface ErofsLayer {
  readonly index: string;
  /** File with the data of its files. */
  readonly data: string;
  readonly target: string;
  /** Through loop devices, also where the kernel would take the files themselves. */
  readonly onLoopDevices: boolean;
}

/** Mounts a layer read-only: from its two files, else through loop devices that go with the mount. Waits for the disk: for the kernel worker. */
export function mountErofsLayer(layer: ErofsLayer): void {
  const { index, data, target } = layer;
  mkdirSync(target, { recursive: true });
  withBestWay(
    layer,
    () => mountErofs(index, data, target),
    (first, second) => mountFileSystem(first, target, "erofs", MS_RDONLY, `device=${second}`),
  );
}

/** The same in place of the one that is mounted there. */
export function replaceErofsLayer(layer: ErofsLayer): void {
  const { index, data, target } = layer;
  withBestWay(
    layer,
    () => replaceErofs(index, data, target),
    (first, second) => replaceErofs(first, second, target, true),
  );
}

function withBestWay(layer: ErofsLayer, fromFiles: () => void, fromDevices: (index: string, data: string) => void): void {
  if (layer.onLoopDevices) return withLoopDevices(layer, fromDevices);
  try {
    return fromFiles();
  } catch (error) {
    if (!(error instanceof SystemError && [ENOTBLK, EINVAL].includes(error.errno))) throw error;
    try {
      return withLoopDevices(layer, fromDevices);
    } catch {
      throw error; // it was not the files: the first answer tells more
    }
  }
}

/** While they are open here nobody else gets them, and from then on the mount holds them: a kill at any moment leaves none behind. */
function withLoopDevices({ index, data }: ErofsLayer, mount: (index: string, data: string) => void): void {
  const first = attachReadOnly(index);
  try {
    const second = attachReadOnly(data);
    try {
      mount(first.path, second.path);
    } finally {
      closeSync(second.device);
    }
  } finally {
    closeSync(first.device);
  }
}
