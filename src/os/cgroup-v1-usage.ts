import { existsSync, readFileSync } from "node:fs";
import { readFields, readOptional, readValue } from "./cgroup-files.ts";
import type { CgroupUsage, IoCounter, IoEntry, IoUsage } from "./cgroup-usage.ts";
import { ticksPerSecond } from "./process/age.ts";

/** @param folder  of a controller's hierarchy. Source: kernel documentation, admin-guide/cgroup-v1. */
export function readUsageV1(folder: (controller: string) => string): CgroupUsage {
  return {
    cpu: readCpu(folder("cpuacct"), folder("cpu")),
    memory: readMemory(folder("memory")),
    io: readIo(folder("blkio")),
    pids: readPids(folder("pids")),
  };
}

function readCpu(accounting: string, scheduling: string): CgroupUsage["cpu"] {
  const { user = 0n, system = 0n } = readFields(`${accounting}/cpuacct.stat`);
  const { nr_periods: periods = 0n, nr_throttled: throttled = 0n, throttled_time: time = 0n } = readFields(`${scheduling}/cpu.stat`);
  const perCpu = readFileSync(`${accounting}/cpuacct.usage_percpu`, "latin1").trim().split(" ");
  return {
    totalNanoseconds: Number(readValue(`${accounting}/cpuacct.usage`) ?? 0n),
    kernelNanoseconds: (Number(system) * 1e9) / ticksPerSecond,
    userNanoseconds: (Number(user) * 1e9) / ticksPerSecond,
    perCpuNanoseconds: perCpu.map(Number),
    periods: Number(periods),
    throttledPeriods: Number(throttled),
    throttledNanoseconds: Number(time),
  };
}

/** Without a limit, v1 tells the largest number of whole pages. */
const noLimit = 1n << 60n;

function readMemory(folder: string): CgroupUsage["memory"] {
  const limit = readValue(`${folder}/memory.limit_in_bytes`) ?? noLimit;
  return {
    usageBytes: Number(readValue(`${folder}/memory.usage_in_bytes`) ?? 0n),
    maximumUsageBytes: Number(readValue(`${folder}/memory.max_usage_in_bytes`) ?? 0n),
    failures: Number(readValue(`${folder}/memory.failcnt`) ?? 0n),
    ...(limit < noLimit && { limitBytes: limit }),
    details: readFields(`${folder}/memory.stat`),
  };
}

function readPids(folder: string): CgroupUsage["pids"] {
  const limit = readOptional(`${folder}/pids.max`);
  return { current: Number(readOptional(`${folder}/pids.current`) ?? 0n), ...(limit !== undefined && { limit: Number(limit) }) };
}

/** What a kernel with a scheduler that accounts tells (CFQ, BFQ), and what every other tells. */
const accounted: Readonly<Record<IoCounter, string>> = {
  serviceBytes: "blkio.io_service_bytes_recursive",
  serviced: "blkio.io_serviced_recursive",
  queued: "blkio.io_queued_recursive",
  serviceTime: "blkio.io_service_time_recursive",
  waitTime: "blkio.io_wait_time_recursive",
  merged: "blkio.io_merged_recursive",
  time: "blkio.time_recursive",
  sectors: "blkio.sectors_recursive",
};
const throttled: typeof accounted = {
  ...accounted,
  serviceBytes: "blkio.throttle.io_service_bytes",
  serviced: "blkio.throttle.io_serviced",
};

function readIo(folder: string): IoUsage {
  const files = existsSync(`${folder}/${accounted.serviced}`) ? accounted : throttled;
  return Object.fromEntries(Object.entries(files).map(([counter, file]) => [counter, readIoFile(`${folder}/${file}`)]));
}

/** `8:0 Read 4096`; the last line is a sum over all disks. */
function readIoFile(file: string): IoEntry[] {
  let text: string;
  try {
    text = readFileSync(file, "latin1");
  } catch {
    return []; // not with this kernel
  }
  return [...text.matchAll(/^(\d+):(\d+)(?: (\w+))? (\d+)$/gm)].map(([, major, minor, operation = "", value]) => ({
    major: Number(major),
    minor: Number(minor),
    operation,
    value: Number(value),
  }));
}
