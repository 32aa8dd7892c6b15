import { readFileSync } from "node:fs";
import { readFields, readOptional, readValue } from "./cgroup-files.ts";
import type { CgroupUsage, IoEntry, IoUsage } from "./cgroup-usage.ts";

/** Source: kernel documentation, admin-guide/cgroup-v2. A controller that is not delegated counts nothing. */
export function readUsageV2(folder: string): CgroupUsage {
  const cpu = readFields(`${folder}/cpu.stat`);
  const nanoseconds = (field: string): number => Number(cpu[field] ?? 0n) * 1000;
  const pidsLimit = readOptional(`${folder}/pids.max`);
  return {
    cpu: {
      totalNanoseconds: nanoseconds("usage_usec"),
      kernelNanoseconds: nanoseconds("system_usec"),
      userNanoseconds: nanoseconds("user_usec"),
      periods: Number(cpu["nr_periods"] ?? 0n),
      throttledPeriods: Number(cpu["nr_throttled"] ?? 0n),
      throttledNanoseconds: nanoseconds("throttled_usec"),
    },
    memory: readMemory(folder),
    io: readIo(`${folder}/io.stat`),
    pids: { current: Number(readOptional(`${folder}/pids.current`) ?? 0n), ...(pidsLimit !== undefined && { limit: Number(pidsLimit) }) },
  };
}

function readMemory(folder: string): CgroupUsage["memory"] {
  const usage = readOptional(`${folder}/memory.current`);
  if (usage === undefined) return { usageBytes: 0, failures: 0, details: {} };
  const limit = readValue(`${folder}/memory.max`);
  return {
    usageBytes: Number(usage),
    failures: Number(readFields(`${folder}/memory.events`)["oom"] ?? 0n),
    ...(limit !== undefined && { limitBytes: limit }),
    details: readFields(`${folder}/memory.stat`),
  };
}

/** `8:0 rbytes=1 wbytes=2 rios=3 wios=4 …`. */
function readIo(file: string): IoUsage {
  let text: string;
  try {
    text = readFileSync(file, "latin1");
  } catch {
    return { serviceBytes: [] }; // not delegated
  }
  const serviceBytes = [...text.matchAll(/^(\d+):(\d+) (.*)$/gm)].flatMap(([, major, minor, counters = ""]): IoEntry[] => {
    const disk = { major: Number(major), minor: Number(minor) };
    const counter = (name: string): number => Number(new RegExp(`\\b${name}=(\\d+)`).exec(counters)?.[1] ?? 0);
    return [
      { ...disk, operation: "read", value: counter("rbytes") },
      { ...disk, operation: "write", value: counter("wbytes") },
    ];
  });
  return { serviceBytes };
}
