import { expect, test } from "bun:test";
import type { RuntimeSpec } from "#types/oci/runtime-spec.ts";
import { applyEdits } from "./edits.ts";
import { parseCdiSpec } from "./spec-file.ts";

const mount = (destination: string) => ({ destination, type: "bind", source: "/before", options: ["rbind"] });
const spec: RuntimeSpec = {
  ociVersion: "1.0.2",
  process: { terminal: false, user: { uid: 7, gid: 8, additionalGids: [9] }, args: ["x"], env: ["A=1", "B=2"], cwd: "/" },
  root: { path: "/root" },
  mounts: [mount("/deep/down/here"), mount("/one")],
  linux: { namespaces: [], cgroupsPath: "/x", resources: { devices: [{ allow: false, access: "rwm" }] } },
};
const edited = (edits: object) => {
  const device = { name: "one", containerEdits: edits };
  return applyEdits(spec, [...parseCdiSpec({ cdiVersion: "0.6.0", kind: "v.test/c", devices: [device] }).devices.values()]);
};

test("variables replace those of the same name", () => {
  expect(edited({ env: ["B=3", "C=4"] }).process.env).toEqual(["A=1", "B=3", "C=4"]);
});

test("a mount replaces what was at its place, and lies below what is deeper", () => {
  const { mounts } = edited({
    mounts: [
      { hostPath: "/new", containerPath: "/one", options: ["ro"] },
      { hostPath: "/h", containerPath: "/a/b" },
    ],
  });
  expect(mounts.map(({ destination, source, options }) => [destination, source, options])).toEqual([
    ["/one", "/new", ["ro", "bind"]],
    ["/a/b", "/h", ["bind"]],
    ["/deep/down/here", "/before", ["rbind"]],
  ]);
});

test("a node has the host's numbers, the container's user, and a rule of its own", () => {
  const { linux } = edited({ deviceNodes: [{ path: "/dev/x", hostPath: "/dev/zero", permissions: "r" }] });
  expect(linux.devices).toEqual([{ path: "/dev/x", type: "c", major: 1, minor: 5, fileMode: 0o666, uid: 7, gid: 8 }]);
  expect(linux.resources.devices.at(-1)).toEqual({ allow: true, type: "c", major: 1, minor: 5, access: "r" });
});

test("a node that a file describes whole need not be on the host", () => {
  const { linux } = edited({ deviceNodes: [{ path: "/dev/gantry-none", type: "b", major: 250, minor: 3, uid: 0, gid: 0 }] });
  expect(linux.devices?.[0]).toMatchObject({ type: "b", major: 250, minor: 3, uid: 0, gid: 0 });
});

test("hooks come by their name, groups beside those of the user", () => {
  const { hooks, process } = edited({ hooks: [{ hookName: "poststop", path: "/bin/true", timeout: 3 }], additionalGids: [0, 9, 44] });
  expect(hooks).toEqual({ poststop: [{ path: "/bin/true", timeout: 3 }] });
  expect(process.user.additionalGids).toEqual([9, 44]);
});

test.each([
  [{ path: "/dev/gantry-none" }, 'failed to stat CDI host device "/dev/gantry-none": no such file or directory'],
  [{ path: "/etc/passwd" }, "not a device node"],
  [{ path: "/dev/zero", type: "b" }, "host type mismatch (b, c)"],
])("%j is refused", (node, message) => {
  expect(() => edited({ deviceNodes: [node] })).toThrow(message);
});
