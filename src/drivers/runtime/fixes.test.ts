import { expect, test } from "bun:test";
import { hasFixes } from "./fixes.ts";

test.each([
  ["1.1.15", false],
  ["1.2.7", false],
  ["1.2.8", true],
  ["1.3.0", false],
  ["1.3.3", true],
  ["1.4.0", true],
] as const)("runc %s has the fixes of its own release series: %p (D10)", (version, expected) =>
  expect(hasFixes(["1.2.8", "1.3.3"], version)).toBe(expected),
);
