import { afterAll, describe, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { LimitRefused, setCgroupLimits, weightOfShares, type CgroupLimits } from "./cgroup-limits.ts";
import { readCgroupUsage } from "./cgroup-usage.ts";
import type { CgroupHierarchy } from "./cgroup.ts";

const root = mkdtempSync(join(tmpdir(), "cgroups-"));
afterAll(() => rmSync(root, { recursive: true }));

/** Folders that look like mounted hierarchies. */
function tree(name: string, files: Readonly<Record<string, string>>): { hierarchies: CgroupHierarchy[]; read: (file: string) => string } {
  const place = join(root, name);
  for (const [file, text] of Object.entries(files)) {
    mkdirSync(dirname(join(place, file)), { recursive: true });
    writeFileSync(join(place, file), text);
  }
  const v1 = ["cpu", "cpuacct", "cpuset", "memory", "pids", "blkio"].map((controller): CgroupHierarchy => ({
    version: 1,
    path: join(place, controller),
    controllers: [controller],
  }));
  const v2: CgroupHierarchy = { version: 2, path: join(place, "v2"), controllers: ["cpu", "cpuset", "memory", "pids", "io"] };
  return { hierarchies: name.startsWith("v1") ? v1 : [v2], read: (file) => readFileSync(join(place, file), "utf8") };
}

describe("readCgroupUsage()", () => {
  test("of version 1", () => {
    const { hierarchies } = tree("v1", {
      "cpuacct/c/cpuacct.usage": "31324730\n",
      "cpuacct/c/cpuacct.usage_percpu": "5976803 25347927 \n",
      "cpuacct/c/cpuacct.stat": "user 1\nsystem 2\n",
      "cpu/c/cpu.stat": "nr_periods 5\nnr_throttled 3\nthrottled_time 700\n",
      "memory/c/memory.usage_in_bytes": "2514944\n",
      "memory/c/memory.max_usage_in_bytes": "4874240\n",
      "memory/c/memory.failcnt": "7\n",
      "memory/c/memory.limit_in_bytes": "9223372036854771712\n",
      "memory/c/memory.stat": "cache 10\nhierarchical_memory_limit 9223372036854771712\n",
      "pids/c/pids.current": "4\n",
      "pids/c/pids.max": "max\n",
      "blkio/c/blkio.throttle.io_service_bytes": "8:0 Read 4096\n8:0 Write 10\n8:0 Total 4106\nTotal 4106\n",
    });
    expect(readCgroupUsage(hierarchies, "/c")).toMatchObject({
      cpu: {
        ...{ totalNanoseconds: 31324730, perCpuNanoseconds: [5976803, 25347927], userNanoseconds: 1e7, kernelNanoseconds: 2e7 },
        ...{ periods: 5, throttledPeriods: 3, throttledNanoseconds: 700 },
      },
      memory: { usageBytes: 2514944, maximumUsageBytes: 4874240, failures: 7, details: { cache: 10n } },
      pids: { current: 4 },
      io: {
        serviceBytes: [
          { major: 8, minor: 0, operation: "Read", value: 4096 },
          { major: 8, minor: 0, operation: "Write", value: 10 },
          { major: 8, minor: 0, operation: "Total", value: 4106 },
        ],
        serviced: [],
      },
    });
    expect(readCgroupUsage(hierarchies, "/c").memory.limitBytes).toBeUndefined();
  });

  test("of version 2", () => {
    const { hierarchies } = tree("v2", {
      "v2/c/cpu.stat": "usage_usec 1000\nuser_usec 600\nsystem_usec 400\nnr_periods 5\nnr_throttled 3\nthrottled_usec 7\n",
      "v2/c/memory.current": "2514944\n",
      "v2/c/memory.max": "67108864\n",
      "v2/c/memory.events": "low 0\noom 2\noom_kill 1\n",
      "v2/c/memory.stat": "anon 10\ninactive_file 20\n",
      "v2/c/pids.current": "4\n",
      "v2/c/pids.max": "50\n",
      "v2/c/io.stat": "8:0 rbytes=4096 wbytes=10 rios=1 wios=1 dbytes=0 dios=0\n",
    });
    expect(readCgroupUsage(hierarchies, "/c")).toEqual({
      cpu: {
        ...{ totalNanoseconds: 1e6, userNanoseconds: 6e5, kernelNanoseconds: 4e5 },
        ...{ periods: 5, throttledPeriods: 3, throttledNanoseconds: 7000 },
      },
      memory: { usageBytes: 2514944, failures: 2, limitBytes: 67108864n, details: { anon: 10n, inactive_file: 20n } },
      pids: { current: 4, limit: 50 },
      io: {
        serviceBytes: [
          { major: 8, minor: 0, operation: "read", value: 4096 },
          { major: 8, minor: 0, operation: "write", value: 10 },
        ],
      },
    });
  });

  test("of version 2 without delegated controllers counts what there is", () => {
    const { hierarchies } = tree("v2-bare", { "v2/c/cpu.stat": "usage_usec 1\nuser_usec 1\nsystem_usec 0\n" });
    expect(readCgroupUsage(hierarchies, "/c")).toMatchObject({ memory: { usageBytes: 0 }, pids: { current: 0 }, io: { serviceBytes: [] } });
  });
});

describe("setCgroupLimits()", () => {
  const all: CgroupLimits = {
    memory: { limit: 1000, swap: 3000, reservation: 500 },
    cpu: { shares: 512, quota: 5000, period: 10_000, cpus: "0", mems: "0-1" },
    pids: { limit: 7 },
    blockIO: { weight: 10 },
  };

  test("of version 1", async () => {
    const files = {
      ...{
        "memory/c/memory.limit_in_bytes": "",
        "memory/c/memory.memsw.limit_in_bytes": "2000",
        "memory/c/memory.soft_limit_in_bytes": "",
      },
      ...{ "cpu/c/cpu.shares": "", "cpu/c/cpu.cfs_quota_us": "", "cpu/c/cpu.cfs_period_us": "", "cpuset/c/cpuset.cpus": "" },
      ...{ "cpuset/c/cpuset.mems": "", "pids/c/pids.max": "", "blkio/c/blkio.bfq.weight": "" },
    };
    const { hierarchies, read } = tree("v1-limits", files);
    await setCgroupLimits(hierarchies, "/c", all);
    expect(Object.keys(files).map((file) => read(file))).toEqual(["1000", "3000", "500", "512", "5000", "10000", "0", "0-1", "7", "10"]);
    await setCgroupLimits(hierarchies, "/c", { memory: { limit: -1, swap: -1 }, pids: { limit: -1 }, cpu: { quota: -1 } });
    expect(read("pids/c/pids.max")).toBe("max");
  });

  test("of version 2: swap alone, weights for shares", async () => {
    const files = {
      ...{ "v2/c/memory.max": "", "v2/c/memory.swap.max": "", "v2/c/memory.low": "", "v2/c/cpu.weight": "", "v2/c/cpu.max": "" },
      ...{ "v2/c/cpuset.cpus": "", "v2/c/cpuset.mems": "", "v2/c/pids.max": "", "v2/c/io.weight": "" },
    };
    const { hierarchies, read } = tree("v2-limits", files);
    await setCgroupLimits(hierarchies, "/c", all);
    expect(Object.keys(files).map((file) => read(file))).toEqual(["1000", "2000", "500", "20", "5000 10000", "0", "0-1", "7", "1"]);
  });

  test("what the kernel refuses is told with file and value", async () => {
    const { hierarchies } = tree("v1-gone", {});
    expect(setCgroupLimits(hierarchies, "/c", { pids: { limit: 7 } })).rejects.toThrow(LimitRefused);
  });

  test.each([
    [2, 1],
    [1024, 39],
    [262144, 10000],
  ])("%d shares are a weight of %d", (shares, weight) => {
    expect(weightOfShares(shares)).toBe(weight);
  });
});
