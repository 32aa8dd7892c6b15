import { mappedRoot, toContainerId } from "#lib/id-map.ts";
import type { IdMap } from "#types/record/id-map.ts";

/** Attribute with the capabilities that a program gives. */
export const capabilityXattr = "security.capability";

// Source: linux/capability.h, struct vfs_cap_data and vfs_ns_cap_data: of revision 3 the last word is whose root may have them.
const revisionMask = 0xff000000;
const plainRevision = 0x02000000;
const ownedRevision = 0x03000000;
const plainBytes = 20;
const ownedBytes = 24;

/** As a container with this map, or without one the host, sees what lies on the disk or in a mounted tree: plain where its root may have them. */
export function capabilitiesInside(value: Buffer, map: IdMap | undefined): Buffer {
  if (value.length !== ownedBytes || revisionOf(value) !== ownedRevision) return value;
  const root = value.readUInt32LE(plainBytes);
  if ((map ? toContainerId(map.uids, root) : root) !== 0) return value;
  return withRevision(value.subarray(0, plainBytes), plainRevision);
}

/** For a file of a mounted tree: of the container's root, where the archive says nothing else. */
export function capabilitiesOutside(value: Buffer, map: IdMap | undefined): Buffer {
  if (!map || value.length !== plainBytes || revisionOf(value) !== plainRevision) return value;
  const owner = Buffer.alloc(4);
  owner.writeUInt32LE(mappedRoot(map).uid);
  return withRevision(Buffer.concat([value, owner]), ownedRevision);
}

function revisionOf(value: Buffer): number {
  return (value.readUInt32LE(0) & revisionMask) >>> 0;
}

function withRevision(value: Buffer, revision: number): Buffer {
  const changed = Buffer.from(value);
  changed.writeUInt32LE(((value.readUInt32LE(0) & ~revisionMask) | revision) >>> 0, 0);
  return changed;
}
