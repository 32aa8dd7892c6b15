import { expect, test } from "bun:test";
import { ImageLeases } from "./leases.ts";

test("what an operation made is loose when its lease ends, newest first; what it only held is not", () => {
  const lease = new ImageLeases().open();
  lease.hold("there");
  lease.made("first");
  lease.made("second");
  expect(lease.end()).toEqual(["second", "first"]);
});

test("the last of several holders gets what another made", () => {
  const leases = new ImageLeases();
  const [maker, other] = [leases.open(), leases.open()];
  maker.made("layer");
  other.hold("layer");
  expect(maker.end()).toEqual([]);
  expect(other.end()).toEqual(["layer"]);
});

test("a removal that meets a lease is put off to its end", () => {
  const leases = new ImageLeases();
  const lease = leases.open();
  lease.hold("layer");
  expect(leases.postpones("layer")).toBe(true);
  expect(leases.postpones("other")).toBe(false);
  expect(lease.end()).toEqual(["layer"]);
  expect(leases.postpones("layer")).toBe(false);
});
