import { expect, test } from "bun:test";
import { defaultContainerBytes, parseStorageOptions } from "./storage-options.ts";

test.each([
  [[], 0],
  [["overlay2.size=10G"], 10 * 2 ** 30],
  [["OVERLAY2.Size = 1.5m"], 1.5 * 2 ** 20],
  [["overlay2.size=1g", "overlay2.size=2g"], 2 * 2 ** 30],
  [["overlay2.size=0"], 0],
])("%j limits containers to %d bytes", (options, sizeBytes) => {
  expect(parseStorageOptions(options)).toEqual({ sizeBytes });
});

test.each([
  ["size", "unable to parse storage-opt key/value: size"],
  ["size=1g", "overlay2: unknown option size"],
  ["dm.basesize=1g", "overlay2: unknown option dm.basesize"],
  ["overlay2.size=x", "invalid size: 'x'"],
  ["overlay2.size=-1", "invalid size: '-1'"],
  ["overlay2.size=1y", "invalid suffix: 'y'"],
])("%s is refused as by dockerd", (option, message) => {
  expect(() => parseStorageOptions([option])).toThrow(message);
});

test("a limit of all containers is refused where no quota would keep it", () => {
  expect(() => defaultContainerBytes(["overlay2.size=1g"], "no quotas")).toThrow(
    "Storage option overlay2.size not supported. Filesystem does not support Project Quota: no quotas",
  );
  expect(defaultContainerBytes(["overlay2.size=0"], "no quotas")).toBe(0);
  expect(defaultContainerBytes(["overlay2.size=1g"], undefined)).toBe(2 ** 30);
});

test("the options of the driver vfs are dockerd's for it", () => {
  expect(parseStorageOptions(["size=1g"], "vfs")).toEqual({ sizeBytes: 2 ** 30 });
  expect(() => parseStorageOptions(["overlay2.size=1g"], "vfs")).toThrow("unknown option overlay2.size for vfs");
  expect(() => defaultContainerBytes(["size=1g"], "no quotas", "vfs")).toThrow("failed to set option size for vfs");
  expect(defaultContainerBytes(["size=1g"], undefined, "vfs")).toBe(2 ** 30);
});
