import { expect, test } from "bun:test";
import { hasFixes } from "./programs.ts";
import { isAtLeast } from "./version.ts";

test.each([
  ["1.8.1", "1.25", false],
  ["1.25", "1.25", true],
  ["1.25.1", "1.25", true],
  ["2", "1.25", true],
  ["1.1.5+ds1", "1.1.5", true],
  ["unknown", "0.1", false],
] as const)("isAtLeast(%p, %p) is %p", (version, floor, expected) => expect(isAtLeast(version, floor)).toBe(expected));

test.each([
  ["1.1.15", false],
  ["1.2.7", false],
  ["1.2.8", true],
  ["1.3.0", false],
  ["1.3.3", true],
  ["1.4.0", true],
] as const)("runc %s has the fixes of its own release series: %p", (version, expected) =>
  expect(hasFixes({ floors: ["1.2.8", "1.3.3"] }, version)).toBe(expected),
);
