import { closeSync } from "node:fs";
import type { IdMap } from "#types/record/id-map.ts";
import { cloneMount } from "./detached-tree.ts";
import { carrierOf, withHostRoot } from "./idmapped-overlay.ts";
import { SystemError, systemCall } from "./libc.ts";
import { moveMount } from "./mount.ts";

// Source: linux/mount.h, mount_setattr(2).
const SYS_mount_setattr = 442;
const AT_EMPTY_PATH = 0x1000;
const MOUNT_ATTR_RDONLY = 1n;
const MOUNT_ATTR_NOSUID = 2n;
const MOUNT_ATTR_NODEV = 4n;
const MOUNT_ATTR_NOEXEC = 8n;
const MOUNT_ATTR_IDMAP = 0x100000n;
const MS_PRIVATE = 1n << 18n;

export interface TreeBind {
  readonly folder: string;
  readonly target: string;
  readonly readOnly: boolean;
  /** Whose ids the files have at the target. */
  readonly map?: IdMap | undefined;
}

/**
 * Shows a folder at another place as a root file system of its own: nothing that is mounted in one appears in the other, and set-user-ID
 * programs and devices work as in an overlay, whatever the mount below says. @throws {SystemError} where it cannot map ids
 */
export function bindTree({ folder, target, readOnly, map }: TreeBind): void {
  const clone = cloneMount(folder, { recursive: false });
  try {
    setAttributes(clone, folder, (readOnly ? MOUNT_ATTR_RDONLY : 0n) | (map ? MOUNT_ATTR_IDMAP : 0n), map);
    moveMount(clone, target);
  } finally {
    closeSync(clone);
  }
}

function setAttributes(clone: number, folder: string, set: bigint, map: IdMap | undefined): void {
  const attributes = Buffer.alloc(32);
  attributes.writeBigUInt64LE(set, 0);
  attributes.writeBigUInt64LE(MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC, 8);
  attributes.writeBigUInt64LE(MS_PRIVATE, 16);
  if (map) attributes.writeBigUInt64LE(BigInt(carrierOf(withHostRoot(map))), 24);
  const apply = (): number => systemCall(`attach ${folder}`, SYS_mount_setattr, clone, "", AT_EMPTY_PATH, attributes, attributes.length);
  try {
    apply();
  } catch (error) {
    if (!(error instanceof SystemError && error.code === "EPERM")) throw error;
    attributes.writeBigUInt64LE(0n, 8); // inside of a container, the host's flags stay
    apply();
  }
}
