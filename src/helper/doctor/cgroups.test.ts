import { expect, test } from "bun:test";
import { checkCgroups } from "./cgroups.ts";

const v1 = (name: string) => ({ version: 1, path: `/sys/fs/cgroup/${name}`, controllers: [name] }) as const;
const all = ["cpu", "cpuset", "memory", "pids"];

test("a controller that is left on v2 of a hybrid host can be repaired", () => {
  const left = checkCgroups([...all.map(v1), { version: 2, path: "/sys/fs/cgroup/unified", controllers: ["hugetlb"] }]);
  expect(left.map(({ status, repair }) => [status, repair])).toEqual([
    ["ok", undefined],
    ["warn", { type: "mount-controller", controller: "hugetlb" }],
  ]);
});

test("on v2 alone nothing is left", () => {
  expect(checkCgroups([{ version: 2, path: "/sys/fs/cgroup", controllers: all }])).toEqual([
    { name: "cgroups", status: "ok", detail: "v2" },
  ]);
});

test("controllers that are missing are named, and a host without any hierarchy is told", () => {
  expect(checkCgroups([v1("cpu"), v1("cpuset")])[0]?.detail).toContain("without memory, pids");
  expect(checkCgroups([])[0]?.status).toBe("missing");
});
