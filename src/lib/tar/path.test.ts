import { expect, test } from "bun:test";
import { TarError } from "./error.ts";
import { splitPath } from "./path.ts";

test.each([
  ["./a//b/./c/", ["a", "b", "c"]],
  ["/etc/passwd", ["etc", "passwd"]],
  ["./", []],
  ["...", ["..."]],
])("%p is %p below the root", (path, parts) => {
  expect(splitPath(path, 0)).toEqual(parts);
});

test.each(["..", "a/../b", "/..", `a/${"n".repeat(256)}`, "a\0b", "x/".repeat(2049)])("%p is refused", (path) => {
  expect(() => splitPath(path, 0)).toThrow(TarError);
});
