import { expect, test } from "bun:test";
import { mappedRoot, toContainerId, toHostId } from "./id-map.ts";

const ranges = [
  { containerId: 0, hostId: 100_000, size: 1000 },
  { containerId: 1000, hostId: 500_000, size: 10 },
];

test.each([
  [0, 100_000],
  [999, 100_999],
  [1000, 500_000],
  [1009, 500_009],
  [1010, undefined],
])("id %i of the container is %p on the host", (container, host) => {
  expect(toHostId(ranges, container)).toBe(host);
});

test.each([
  [100_000, 0],
  [500_009, 1009],
  [0, 65_534],
  [99_999, 65_534],
  [101_000, 65_534],
])("id %i of the host is seen as %i", (host, container) => {
  expect(toContainerId(ranges, host)).toBe(container);
});

test("the container's root has a user and a group of its own", () => {
  expect(mappedRoot({ uids: ranges, gids: [{ containerId: 0, hostId: 7, size: 1 }] })).toEqual({ uid: 100_000, gid: 7 });
});
