import { existsSync, readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { cgroupFolder, type CgroupHierarchy } from "./cgroup.ts";

/** Limits to set; what is absent stays as it is, and -1 is no limit. Units are those of the OCI runtime-spec, config-linux.md. */
export interface CgroupLimits {
  readonly memory?: {
    readonly limit?: number;
    /** Memory and swap together. */
    readonly swap?: number;
    readonly reservation?: number;
  };
  readonly cpu?: {
    readonly shares?: number;
    readonly quota?: number;
    readonly period?: number;
    readonly realtimeRuntime?: number;
    readonly realtimePeriod?: number;
    readonly cpus?: string;
    readonly mems?: string;
  };
  readonly pids?: { readonly limit: number };
  readonly blockIO?: { readonly weight?: number };
}

/** The kernel has refused a limit. What was written before it stays. */
export class LimitRefused extends Error {
  override readonly name = "LimitRefused";
  readonly code: string;
  constructor(file: string, value: string, cause: NodeJS.ErrnoException) {
    super(`failed to write ${JSON.stringify(value)} to ${file}: ${cause.message}`, { cause });
    this.code = cause.code ?? "";
  }
}

/** Sets limits of a cgroup with processes. To take memory back the kernel may have to swap, so none of it is done on this thread. @throws {LimitRefused} */
export async function setCgroupLimits(hierarchies: readonly CgroupHierarchy[], path: string, limits: CgroupLimits): Promise<void> {
  const folder = (controller: string): string => cgroupFolder(hierarchies, controller, path) ?? "";
  const isV1 = (controller: string): boolean =>
    hierarchies.some(({ version, controllers }) => version === 1 && controllers.includes(controller));
  const { memory, cpu, pids, blockIO } = limits;
  if (memory) await (isV1("memory") ? setMemoryV1 : setMemoryV2)(folder("memory"), memory);
  if (cpu) await (isV1("cpu") ? setCpuV1 : setCpuV2)(folder("cpu"), cpu);
  if (cpu?.cpus !== undefined) await write(`${folder("cpuset")}/cpuset.cpus`, cpu.cpus);
  if (cpu?.mems !== undefined) await write(`${folder("cpuset")}/cpuset.mems`, cpu.mems);
  if (pids) await write(`${folder("pids")}/pids.max`, orMax(pids.limit));
  if (blockIO?.weight !== undefined) await setWeight(isV1("blkio"), folder(isV1("blkio") ? "blkio" : "io"), blockIO.weight);
}

type Memory = NonNullable<CgroupLimits["memory"]>;
type Cpu = NonNullable<CgroupLimits["cpu"]>;

/** At every moment, memory with swap must be at least as much as memory. */
async function setMemoryV1(folder: string, { limit, swap, reservation }: Memory): Promise<void> {
  const files = { limit: `${folder}/memory.limit_in_bytes`, swap: `${folder}/memory.memsw.limit_in_bytes` };
  const setLimit = async (): Promise<void> => {
    if (limit !== undefined) await write(files.limit, String(limit));
  };
  const setSwap = async (): Promise<void> => {
    if (swap !== undefined && existsSync(files.swap)) await write(files.swap, String(swap));
  };
  const isRaised =
    limit !== undefined && existsSync(files.swap) && (limit < 0 || BigInt(limit) > BigInt(readFileSync(files.swap, "latin1").trim()));
  for (const set of isRaised ? [setSwap, setLimit] : [setLimit, setSwap]) await set();
  if (reservation !== undefined) await write(`${folder}/memory.soft_limit_in_bytes`, String(reservation));
}

/** Swap is a limit of its own here. */
async function setMemoryV2(folder: string, { limit, swap, reservation }: Memory): Promise<void> {
  if (swap !== undefined && existsSync(`${folder}/memory.swap.max`))
    await write(`${folder}/memory.swap.max`, swap < 0 || limit === undefined || limit < 0 ? "max" : String(Math.max(0, swap - limit)));
  if (limit !== undefined) await write(`${folder}/memory.max`, orMax(limit));
  if (reservation !== undefined) await write(`${folder}/memory.low`, orMax(reservation));
}

async function setCpuV1(folder: string, { shares, quota, period, realtimeRuntime, realtimePeriod }: Cpu): Promise<void> {
  if (shares !== undefined) await write(`${folder}/cpu.shares`, String(shares));
  // A quota that does not fit the period that is left behind would be refused.
  if (quota !== undefined && period !== undefined) await write(`${folder}/cpu.cfs_quota_us`, "-1");
  if (period !== undefined) await write(`${folder}/cpu.cfs_period_us`, String(period));
  if (quota !== undefined) await write(`${folder}/cpu.cfs_quota_us`, String(quota < 0 ? -1 : quota));
  await setRealtimeV1(folder, realtimeRuntime, realtimePeriod);
}

/** At every moment, the runtime must fit into the period. */
async function setRealtimeV1(folder: string, runtime: number | undefined, period: number | undefined): Promise<void> {
  if (runtime === undefined && period === undefined) return;
  const files = { runtime: `${folder}/cpu.rt_runtime_us`, period: `${folder}/cpu.rt_period_us` };
  const isShortened = period !== undefined && Number(readFileSync(files.runtime, "latin1")) > period;
  const writes = [[files.period, period] as const, [files.runtime, runtime] as const];
  for (const [file, value] of isShortened ? writes.toReversed() : writes) if (value !== undefined) await write(file, String(value));
}

async function setCpuV2(folder: string, { shares, quota, period }: Cpu): Promise<void> {
  if (shares !== undefined) await write(`${folder}/cpu.weight`, String(weightOfShares(shares)));
  if (quota !== undefined) await write(`${folder}/cpu.max`, `${orMax(quota)}${period === undefined ? "" : ` ${period}`}`);
  else if (period !== undefined) await write(`${folder}/cpu.max`, `max ${period}`);
}

/** 2 … 262144 to 1 … 10000, as runtimes do it. Source: crun(1), "CPU controller". */
export function weightOfShares(shares: number): number {
  return 1 + Math.trunc(((shares - 2) * 9999) / 262142);
}

/** Weights of v1 are 10 … 1000, those of v2 1 … 10000. BFQ has files of its own, and the range of v1. */
async function setWeight(isV1: boolean, folder: string, weight: number): Promise<void> {
  const bfq = isV1 ? `${folder}/blkio.bfq.weight` : `${folder}/io.bfq.weight`;
  if (existsSync(bfq)) return write(bfq, String(weight));
  if (isV1) return write(`${folder}/blkio.weight`, String(weight));
  await write(`${folder}/io.weight`, String(1 + Math.trunc(((weight - 10) * 9999) / 990)));
}

const orMax = (limit: number): string => (limit < 0 ? "max" : String(limit));

async function write(file: string, value: string): Promise<void> {
  try {
    await writeFile(file, value, { flag: "r+" });
  } catch (error) {
    throw new LimitRefused(file, value, error as NodeJS.ErrnoException); // the file system throws nothing else
  }
}
