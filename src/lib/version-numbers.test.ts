import { expect, test } from "bun:test";
import { isAtLeast } from "./version-numbers.ts";

test.each([
  ["1.8.1", "1.25", false],
  ["1.25", "1.25", true],
  ["1.25.1", "1.25", true],
  ["2", "1.25", true],
  ["1.1.5+ds1", "1.1.5", true],
  ["unknown", "0.1", false],
] as const)("isAtLeast(%p, %p) is %p", (version, floor, expected) => expect(isAtLeast(version, floor)).toBe(expected));
