import { expect, test } from "bun:test";
import { capabilitiesInside, capabilitiesOutside } from "./file-capabilities.ts";

const ranges = [{ containerId: 0, hostId: 100_000, size: 10 }];
const map = { uids: ranges, gids: ranges };
/** CAP_NET_RAW, effective. */
const plain = Buffer.from("0100000200200000000000000000000000000000", "hex");
const ownedBy = (uid: number): Buffer => {
  const owner = Buffer.alloc(4);
  owner.writeUInt32LE(uid);
  return Buffer.concat([Buffer.from("01000003", "hex"), plain.subarray(4), owner]);
};

test("D11: capabilities of the container's root are plain inside, and its own outside", () => {
  expect(capabilitiesInside(ownedBy(100_000), map)).toEqual(plain);
  expect(capabilitiesOutside(plain, map)).toEqual(ownedBy(100_000));
});

test("those of others stay as they are", () => {
  expect(capabilitiesInside(ownedBy(0), map)).toEqual(ownedBy(0));
  expect(capabilitiesInside(plain, map)).toEqual(plain);
  expect(capabilitiesOutside(ownedBy(5), map)).toEqual(ownedBy(5));
});

test("on the disk, and without a user namespace, the host's root is the container's", () => {
  expect(capabilitiesInside(ownedBy(0), undefined)).toEqual(plain);
  expect(capabilitiesInside(ownedBy(100_000), undefined)).toEqual(ownedBy(100_000));
  expect(capabilitiesOutside(plain, undefined)).toEqual(plain);
});
