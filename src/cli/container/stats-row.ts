import type { ContainerStats } from "#client/shapes.ts";
import { Row } from "../format/values.ts";
import { binarySize, humanSize } from "../units.ts";

export const statsHeaders = {
  Container: "CONTAINER",
  Name: "NAME",
  ID: "CONTAINER ID",
  CPUPerc: "CPU %",
  MemUsage: "MEM USAGE / LIMIT",
  MemPerc: "MEM %",
  NetIO: "NET I/O",
  BlockIO: "BLOCK I/O",
  PIDs: "PIDS",
} as const;

/** One container of the table. */
export interface StatsEntry {
  /** As it was asked for. */
  readonly container: string;
  /** Undefined until the first answer, and when there is no news. */
  readonly stats: ContainerStats | undefined;
  /** Of the last answer. */
  readonly name: string;
  readonly id: string;
}

const none = "--";

/** What is not known is shown as two dashes. */
export function statsRow({ container, stats, name, id }: StatsEntry, options: { readonly truncates: boolean }): Row {
  const shown =
    (text: (stats: ContainerStats) => string, otherwise = none) =>
    () =>
      stats ? text(stats) : otherwise;
  return new Row("*container.statsContext", {
    Container: () => container,
    Name: () => (name.length > 1 ? name.slice(1) : none),
    ID: () => (options.truncates ? id.slice(0, 12) : id),
    CPUPerc: shown((one) => `${cpuPercent(one).toFixed(2)}%`),
    MemUsage: shown((one) => `${binarySize(memoryUsed(one))} / ${binarySize(one.memory_stats?.limit ?? 0)}`, `${none} / ${none}`),
    MemPerc: shown((one) => `${memoryPercent(one).toFixed(2)}%`),
    NetIO: shown((one) => pair(networkBytes(one))),
    BlockIO: shown((one) => pair(blockBytes(one))),
    PIDs: shown((one) => String(one.pids_stats?.current ?? 0)),
  });
}

const pair = ([one, other]: readonly [number, number]): string => `${humanSize(one, 3)} / ${humanSize(other, 3)}`;

/** Of one processor: two that are busy are 200 %. */
export function cpuPercent({ cpu_stats: now, precpu_stats: before }: ContainerStats): number {
  const used = (now?.cpu_usage?.total_usage ?? 0) - (before?.cpu_usage?.total_usage ?? 0);
  const passed = (now?.system_cpu_usage ?? 0) - (before?.system_cpu_usage ?? 0);
  const processors = now?.online_cpus || (now?.cpu_usage?.percpu_usage?.length ?? 0);
  return used > 0 && passed > 0 ? (used / passed) * processors * 100 : 0;
}

/** Without the files that the kernel keeps in memory and nobody reads: it gives them back when it has to. */
export function memoryUsed({ memory_stats: memory }: ContainerStats): number {
  const usage = memory?.usage ?? 0;
  for (const field of ["total_inactive_file", "inactive_file"]) {
    const inactive = memory?.stats?.[field];
    if (typeof inactive === "number" && inactive < usage) return usage - inactive;
  }
  return usage;
}

function memoryPercent(stats: ContainerStats): number {
  const limit = stats.memory_stats?.limit ?? 0;
  return limit > 0 ? (memoryUsed(stats) / limit) * 100 : 0;
}

function networkBytes({ networks }: ContainerStats): readonly [number, number] {
  const all = Object.values(networks ?? {});
  return [sum(all.map((one) => one.rx_bytes ?? 0)), sum(all.map((one) => one.tx_bytes ?? 0))];
}

function blockBytes({ blkio_stats: io }: ContainerStats): readonly [number, number] {
  const of = (operation: string): number =>
    sum((io?.io_service_bytes_recursive ?? []).filter(({ op }) => op?.[0]?.toLowerCase() === operation).map(({ value }) => value ?? 0));
  return [of("r"), of("w")];
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
