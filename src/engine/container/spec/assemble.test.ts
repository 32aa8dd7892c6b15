import { expect, test } from "bun:test";
import { instanceOf } from "#lib/instance.ts";
import { cgroupsPath } from "./assemble.ts";

const instance = instanceOf("0a1b", "/tmp/root", "/run/exec");

test.each([
  ["", "/gantry-0a1b/ID"],
  ["/mine", "/mine/ID"],
  ["mine/deep/", "/mine/deep/ID"],
  ["../../above", "/above/ID"],
])("the cgroup below the parent %p never lies above the root", (CgroupParent, path) => {
  expect(cgroupsPath({ instance }, { id: "ID", hostConfig: { CgroupParent } })).toBe(path);
});
