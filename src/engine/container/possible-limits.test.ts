import { expect, test } from "bun:test";
import type { HostCgroups } from "#drivers/runtime/host-cgroups.ts";
import { withoutImpossible } from "./possible-limits.ts";

const nothing: Omit<HostCgroups, "cpus" | "mems"> = {
  version: 2,
  hasCpuset: false,
  hasBlkioWeight: false,
  blkioDeviceLimits: new Set(),
  hasCpuRealtime: false,
  hasKernelMemoryTcp: false,
  hasSwappiness: false,
  hasOomKillDisable: false,
};
const disks = [{ Path: "/dev/vda", Rate: 1 }];

test("what the kernel cannot do is left out with a warning, and nothing else (RUN-19)", () => {
  const wanted = {
    Memory: 5,
    BlkioWeight: 100,
    BlkioDeviceReadBps: disks,
    BlkioDeviceWriteIOps: disks,
    MemorySwappiness: 3,
    OomKillDisable: true,
  };
  const { possible, warnings } = withoutImpossible(wanted, nothing);
  expect<unknown>(possible).toEqual({
    Memory: 5,
    BlkioWeight: 0,
    BlkioDeviceReadBps: [],
    BlkioDeviceWriteIOps: [],
    MemorySwappiness: null,
    OomKillDisable: null,
  });
  expect(warnings).toHaveLength(5);
  expect(warnings.join("\n")).toContain("Block I/O BPS read limit discarded.");
});

test("processors and memory nodes are left out together where there is no cpuset", () => {
  expect(withoutImpossible({ CpusetCpus: "0", CpusetMems: "" }, nothing)).toEqual({
    possible: { CpusetCpus: "", CpusetMems: "" },
    warnings: ["Your kernel does not support cpuset or the cgroup is not mounted. Cpuset discarded."],
  });
  expect(withoutImpossible({ CpusetCpus: "0" }, { ...nothing, hasCpuset: true }).warnings).toEqual([]);
});

test("what the kernel can do stays", () => {
  const wanted = { BlkioWeight: 100, BlkioDeviceReadBps: disks, KernelMemoryTCP: 7 };
  const able = { ...nothing, hasBlkioWeight: true, hasKernelMemoryTcp: true, blkioDeviceLimits: new Set(["BlkioDeviceReadBps"] as const) };
  expect(withoutImpossible(wanted, able)).toEqual({ possible: wanted, warnings: [] });
});

test("a container that the kernel may not kill is warned about when its memory has no limit", () => {
  expect(withoutImpossible({ OomKillDisable: true }, { ...nothing, hasOomKillDisable: true }).warnings).toHaveLength(1);
  expect(withoutImpossible({ OomKillDisable: true, Memory: 1 }, { ...nothing, hasOomKillDisable: true }).warnings).toEqual([]);
});
