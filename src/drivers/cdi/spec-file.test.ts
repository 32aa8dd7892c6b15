import { expect, test } from "bun:test";
import { parseCdiSpec } from "./spec-file.ts";

const good = { cdiVersion: "0.6.0", kind: "vendor.test/class", devices: [{ name: "one", containerEdits: { env: ["A=1"] } }] };

test("a file's devices by name", () => {
  const { kind, devices } = parseCdiSpec(good);
  expect(kind).toBe("vendor.test/class");
  expect(devices.get("one")?.env).toEqual(["A=1"]);
});

test.each<[object, string]>([
  [{ cdiVersion: "0.2.0" }, 'unknown version "0.2.0"'],
  [{ cdiVersion: undefined }, 'unknown version ""'],
  [{ kind: "vendor" }, 'invalid kind "vendor"'],
  [{ kind: "1vendor/class" }, "invalid kind"],
  [{ kind: "v/c/d" }, "invalid kind"],
  [{ devices: [] }, "no devices"],
  [{ devices: {} }, "devices is no list"],
  [{ devices: [{ name: "../x" }] }, 'invalid name of a device "../x"'],
  [{ devices: [{ name: "a" }, { name: "a" }] }, "several devices a"],
  [{ containerEdits: { env: ["=x"] } }, "invalid environment variable"],
  [{ containerEdits: { deviceNodes: [{ path: "/x", permissions: "q" }] } }, "invalid permissions"],
  [{ containerEdits: { deviceNodes: [{ path: "/x", type: "d" }] } }, "invalid type"],
  [{ containerEdits: { mounts: [{ hostPath: "/x" }] } }, "a mount without"],
  [{ containerEdits: { hooks: [{ hookName: "never", path: "/x" }] } }, 'invalid hook name "never"'],
  [{ containerEdits: { netDevices: [] } }, "netDevices is not supported"],
])("%j is refused: a device that is given only in part is worse than none", (part, message) => {
  expect(() => parseCdiSpec({ ...good, ...part })).toThrow(message);
});

test.each([[null], [[]], ["text"], [5]])("%p is no file", (value) => {
  expect(() => parseCdiSpec(value)).toThrow("the file is no object");
});
