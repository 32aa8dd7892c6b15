interface Range {
  readonly containerId: number;
  readonly hostId: number;
  readonly size: number;
}

/** What an id is seen as where it has no meaning. Source: user_namespaces(7), /proc/sys/kernel/overflowuid. */
export const overflowId = 65534;

/** The host's id of one of the container's; undefined outside of the ranges. */
export function toHostId(ranges: readonly Range[], id: number): number | undefined {
  const range = ranges.find(({ containerId, size }) => id >= containerId && id < containerId + size);
  return range && range.hostId + id - range.containerId;
}

/** As the container sees an id of the host. */
export function toContainerId(ranges: readonly Range[], id: number): number {
  const range = ranges.find(({ hostId, size }) => id >= hostId && id < hostId + size);
  return range ? range.containerId + id - range.hostId : overflowId;
}

/** Of the ids that a container has from 0 on without a gap. */
export function lastId(ranges: readonly Range[]): number {
  let next = 0;
  for (const { containerId, size } of ranges) if (containerId === next) next += size;
  return next - 1;
}

/** The host's ids of the container's root. The first range of a map begins with it. */
export function mappedRoot(map: { readonly uids: readonly Range[]; readonly gids: readonly Range[] }): {
  readonly uid: number;
  readonly gid: number;
} {
  return { uid: toHostId(map.uids, 0) ?? overflowId, gid: toHostId(map.gids, 0) ?? overflowId };
}
