import { expect, test } from "bun:test";
import { EngineError } from "#lib/errors.ts";
import { parsePattern } from "./pattern.ts";

// Source of most rows: Go, path/match_test.go.
test.each([
  ["abc", "abc", true],
  ["*", "abc", true],
  ["*c", "abc", true],
  ["a*", "ab/c", false],
  ["a*/b", "abc/b", true],
  ["a*/b", "a/c/b", false],
  ["a*b*c*d*e*/f", "axbxcxdxe/f", true],
  ["a*b*c*d*e*/f", "axbxcxdxexxx/fff", false],
  ["a*b?c*x", "abxbbxdbxebxczzx", true],
  ["a*b?c*x", "abxbbxdbxebxczzy", false],
  ["ab[c]", "abc", true],
  ["ab[b-d]", "abc", true],
  ["ab[e-g]", "abc", false],
  ["ab[^c]", "abc", false],
  ["ab[^e-g]", "abc", true],
  ["a\\*b", "a*b", true],
  ["a\\*b", "ab", false],
  ["a?b", "a☺b", true],
  ["a?b", "a/b", false],
  ["[\\]a]", "]", true],
  ["*x", "xxx", true],
  ["busybox:*", "busybox:v1", true],
  ["", "", true],
  ["", "a", false],
])("%j matches %j: %p", (pattern, name, expected) => {
  expect(parsePattern(pattern)(name)).toBe(expected);
});

test.each(["[", "[]a]", "[-]", "[x-]", "[-x]", "\\", "[a-b-c]", "a[", "[^"])("%j is refused", (pattern) => {
  expect(() => parsePattern(pattern)).toThrow(new EngineError("invalid", "syntax error in pattern"));
});

test("a pattern of many stars does not take for ever", () => {
  expect(parsePattern("*a".repeat(200))("a".repeat(199))).toBe(false);
});
