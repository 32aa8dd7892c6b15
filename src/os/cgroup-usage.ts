import { cgroupFolder, type CgroupHierarchy } from "./cgroup.ts";
import { readUsageV1 } from "./cgroup-v1-usage.ts";
import { readUsageV2 } from "./cgroup-v2-usage.ts";

/** What the processes of a cgroup have used so far, and may use. */
export interface CgroupUsage {
  readonly cpu: CpuUsage;
  readonly memory: MemoryUsage;
  readonly io: IoUsage;
  /** Without a limit, `limit` is undefined. */
  readonly pids: { readonly current: number; readonly limit?: number };
}

export interface CpuUsage {
  readonly totalNanoseconds: number;
  readonly kernelNanoseconds: number;
  readonly userNanoseconds: number;
  /** By processor; v1 only. */
  readonly perCpuNanoseconds?: readonly number[];
  readonly periods: number;
  readonly throttledPeriods: number;
  readonly throttledNanoseconds: number;
}

export interface MemoryUsage {
  readonly usageBytes: number;
  /** v1 only. */
  readonly maximumUsageBytes?: number;
  /** Times that the limit was hit (v1), or that the kernel killed for it (v2). */
  readonly failures: number;
  /** Undefined without a limit. */
  readonly limitBytes?: bigint;
  /** Lines of `memory.stat`; values beyond 2^53 are limits that are none. */
  readonly details: Readonly<Record<string, bigint>>;
}

export interface IoEntry {
  readonly major: number;
  readonly minor: number;
  readonly operation: string;
  readonly value: number;
}

/** By what is counted, in the words of v1; a kernel tells only some of them. */
export type IoUsage = Readonly<Partial<Record<IoCounter, readonly IoEntry[]>>>;
export type IoCounter = "serviceBytes" | "serviced" | "queued" | "serviceTime" | "waitTime" | "merged" | "time" | "sectors";

/** Reads a cgroup's counters; none of it waits for a disk. @throws ErrnoException `ENOENT` when the cgroup is gone */
export function readCgroupUsage(hierarchies: readonly CgroupHierarchy[], path: string): CgroupUsage {
  const folder = (controller: string): string => cgroupFolder(hierarchies, controller, path) ?? "";
  const isV1 = hierarchies.some(({ version, controllers }) => version === 1 && controllers.includes("memory"));
  return isV1 ? readUsageV1(folder) : readUsageV2(folder("memory"));
}
