import { expect, test } from "bun:test";
import { allCapabilities, capabilitiesOfMask, containerCapabilities, defaultCapabilities } from "./capabilities.ts";

const all: readonly string[] = allCapabilities;
const choose = (add: string[], drop: string[], privileged = false, available: readonly string[] = all) =>
  containerCapabilities({ privileged, add, drop }, available).sort();

test("the default set is the fourteen of the mask 0xa80425fb", () => {
  expect(capabilitiesOfMask(0xa80425fbn).sort()).toEqual([...defaultCapabilities].sort());
  expect(choose([], [])).toEqual([...defaultCapabilities].sort());
});

test("names come with and without CAP_, in any case", () => {
  expect(choose(["net_admin", "CAP_SYS_TIME"], ["Chown"])).toEqual(
    [...defaultCapabilities.filter((name) => name !== "CAP_CHOWN"), "CAP_NET_ADMIN", "CAP_SYS_TIME"].sort(),
  );
});

test("dropping all leaves what is added, adding all leaves what is not dropped", () => {
  expect(choose(["CHOWN"], ["ALL"])).toEqual(["CAP_CHOWN"]);
  expect(choose(["ALL"], ["SYS_ADMIN"])).toEqual(all.filter((name) => name !== "CAP_SYS_ADMIN").sort());
});

test("nobody gets what the daemon has not, privileged or not", () => {
  const available = all.filter((name) => name !== "CAP_SYS_RESOURCE");
  expect(choose([], [], true, available)).toEqual([...available].sort());
  expect(choose(["SYS_RESOURCE"], [], false, available)).not.toContain("CAP_SYS_RESOURCE");
});

test("an unknown name is refused", () => {
  expect(() => choose(["FLY"], [])).toThrow('invalid CapAdd: unknown capability: "CAP_FLY"');
});
