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

test.each([
  ["..", ".."],
  ["a path with .. inside", "a/../b"],
  ["an absolute ..", "/.."],
  ["a name of 256 bytes", `a/${"n".repeat(256)}`],
  ["a NUL byte", "a\0b"],
  ["a path of more than 4096 bytes", "x/".repeat(2049)],
])("%s is refused", (_, path) => {
  expect(() => splitPath(path, 0)).toThrow(TarError);
});
