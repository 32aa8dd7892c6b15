import { closeSync, mkdirSync, openSync } from "node:fs";
import { basename, dirname } from "node:path";
import type { IdMap } from "#types/record/id-map.ts";
import { cloneMount } from "./detached-tree.ts";
import { systemCall } from "./libc.ts";
import { mountFileSystem, mountOverlay, moveMount, unmount } from "./mount.ts";
import { makeNamespaces } from "./user-namespace.ts";

// Source: mount_setattr(2), linux/mount.h.
const SYS_mount_setattr = 442;
const AT_EMPTY_PATH = 0x1000;
const MOUNT_ATTR_IDMAP = 0x100000n;

/**
 * An id of files that no container can have and that stands for the host's root: overlayfs makes its work folder and whiteouts as that one,
 * whatever the map. Without it the overlay comes up read-only, and only the kernel's log says why. The largest id but one, which is none.
 */
const hostRootRange = { containerId: 4294967293, hostId: 0, size: 1 };

/** Namespaces that only carry a map, by the map: a daemon has one, and one for each that its containers were started with before. */
const carriers = new Map<string, number>();

export interface IdmappedOverlay {
  /** Top first. The name is what the kernel's list of mounts shows, below `place`. */
  readonly lowers: readonly { readonly name: string; readonly folder: string }[];
  /** Both or none, in one folder. */
  readonly upper?: string;
  readonly work?: string;
  readonly target: string;
  readonly options: readonly string[];
  readonly map: IdMap;
  /** A folder for what is attached meanwhile: overlayfs of every kernel that maps ids takes paths, and only new ones descriptors. */
  readonly place: string;
}

/**
 * Mounts an overlay for a container with a user namespace: layers and upper are seen through its map, and what lies on the disk keeps the
 * container's own ids. Blocks, and waits for no disk.
 * @throws {SystemError} where the kernel or the file system below cannot map ids; `place` is free again then too
 */
export function mountIdmappedOverlay({ map, place, target, options, upper, work, lowers }: IdmappedOverlay): void {
  mkdirSync(place, { recursive: true, mode: 0o700 });
  mountFileSystem("tmpfs", place, "tmpfs", 0, "mode=700,size=1m");
  try {
    const attached = lowers.map(({ name, folder }) => attachIdmapped(folder, `${place}/${name}`, map));
    mountOverlay({
      lowers: attached,
      ...(upper !== undefined && work !== undefined && writable(upper, work, place, map)),
      target,
      options,
    });
  } finally {
    unmount(place); // with all that is attached in it: the overlay has what it needs
  }
}

function writable(upper: string, work: string, place: string, map: IdMap): { readonly upper: string; readonly work: string } {
  const folder = attachIdmapped(dirname(upper), `${place}/${writableName}`, withHostRoot(map));
  return { upper: `${folder}/${basename(upper)}`, work: `${folder}/${basename(work)}` };
}

/** For what the daemon itself writes into. */
export function withHostRoot({ uids, gids }: IdMap): IdMap {
  return { uids: [...uids, hostRootRange], gids: [...gids, hostRootRange] };
}

/** Below `place`, what holds upper and work. */
export const writableName = "writable";

function attachIdmapped(folder: string, target: string, map: IdMap): string {
  const clone = cloneMount(folder, { recursive: false });
  try {
    const attributes = Buffer.alloc(32);
    attributes.writeBigUInt64LE(MOUNT_ATTR_IDMAP, 0);
    attributes.writeBigUInt64LE(BigInt(carrierOf(map)), 24);
    systemCall(`map ids of ${folder}`, SYS_mount_setattr, clone, "", AT_EMPTY_PATH, attributes, attributes.length);
    mkdirSync(target, { mode: 0o700 });
    moveMount(clone, target);
    return target;
  } finally {
    closeSync(clone);
  }
}

/** A user namespace with the map, as a descriptor that stays open. */
export function carrierOf(map: IdMap): number {
  const key = JSON.stringify(map);
  const known = carriers.get(key);
  if (known !== undefined) return known;
  using made = makeNamespaces(map, { network: false });
  const carrier = openSync(`/proc/self/fd/${made.user}`, "r");
  carriers.set(key, carrier);
  return carrier;
}
