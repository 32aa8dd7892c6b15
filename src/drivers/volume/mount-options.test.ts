import { expect, test } from "bun:test";
import { parseMountOptions } from "./mount-options.ts";

test("words of mount(8) become flags, the rest is for the file system", () => {
  expect(parseMountOptions("bind,ro")).toEqual({ flags: 0x1001, propagation: 0, options: "" });
  expect(parseMountOptions("size=1m,uid=1000,nosuid")).toEqual({ flags: 2, propagation: 0, options: "size=1m,uid=1000" });
  expect(parseMountOptions("rbind,rshared")).toEqual({ flags: 0x5000, propagation: 0x104000, options: "" });
});

test("a later word takes an earlier one back", () => {
  expect(parseMountOptions("ro,noexec,rw").flags).toBe(8);
});

test("names of an object's own are no flags", () => {
  expect(parseMountOptions("constructor,toString")).toEqual({ flags: 0, propagation: 0, options: "constructor,toString" });
});
