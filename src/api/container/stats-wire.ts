import type { Sample, SampledUsage } from "#engine/container/stats/collector.ts";
import { zeroTime } from "#lib/clock.ts";
import { exactKey } from "#lib/exact-integers.ts";
import type {
  ContainerBlkioStats,
  ContainerCPUStats,
  ContainerMemoryStats,
  ContainerNetworkStats,
  ContainerPidsStats,
  ContainerStatsResponse,
} from "#types/engine-api/index.ts";

/** Fields in dockerd's order, which old readers of text rely on; what is zero and left out there is left out here. */
export function toWireStats(
  sample: Pick<Sample, "usage" | "interfaces" | "readAt"> | undefined,
  previous: Sample | undefined,
  named: { readonly name?: string; readonly id?: string; readonly os_type?: string },
): ContainerStatsResponse {
  const usage = sample?.usage;
  const networks = usage && toNetworks(usage, sample.interfaces ?? []);
  return {
    ...named,
    read: usage ? sample.readAt : zeroTime,
    preread: usage && previous?.usage ? previous.readAt : zeroTime,
    pids_stats: toPids(usage),
    blkio_stats: toBlkio(usage),
    num_procs: 0,
    storage_stats: {},
    cpu_stats: toCpu(usage),
    precpu_stats: toCpu(usage && previous?.usage),
    memory_stats: toMemory(usage),
    ...(networks && Object.keys(networks).length > 0 && { networks }),
  };
}

function toPids(usage: SampledUsage | undefined): ContainerPidsStats {
  if (!usage) return {};
  const { current, limit } = usage.pids;
  return { ...(current > 0 && { current }), ...(limit !== undefined && { limit }) };
}

const ioFields = {
  io_service_bytes_recursive: "serviceBytes",
  io_serviced_recursive: "serviced",
  io_queue_recursive: "queued",
  io_service_time_recursive: "serviceTime",
  io_wait_time_recursive: "waitTime",
  io_merged_recursive: "merged",
  io_time_recursive: "time",
  sectors_recursive: "sectors",
} as const;

function toBlkio(usage: SampledUsage | undefined): ContainerBlkioStats {
  return Object.fromEntries(
    Object.entries(ioFields).map(([field, counter]) => [
      field,
      usage?.io[counter]?.map(({ major, minor, operation, value }) => ({ major, minor, op: operation, value })) ?? null,
    ]),
  );
}

function toCpu(usage: SampledUsage | undefined): ContainerCPUStats {
  const cpu = usage?.cpu;
  return {
    cpu_usage: {
      total_usage: cpu?.totalNanoseconds ?? 0,
      ...(cpu?.perCpuNanoseconds && { percpu_usage: cpu.perCpuNanoseconds }),
      usage_in_kernelmode: cpu?.kernelNanoseconds ?? 0,
      usage_in_usermode: cpu?.userNanoseconds ?? 0,
    },
    ...(usage && { system_cpu_usage: usage.host.cpuNanoseconds, online_cpus: usage.host.processors }),
    throttling_data: {
      periods: cpu?.periods ?? 0,
      throttled_periods: cpu?.throttledPeriods ?? 0,
      throttled_time: cpu?.throttledNanoseconds ?? 0,
    },
  };
}

function toMemory(usage: SampledUsage | undefined): ContainerMemoryStats {
  if (!usage) return {};
  const { usageBytes, maximumUsageBytes = 0, failures, limitBytes, details } = usage.memory;
  const hostBytes = usage.host.memoryBytes;
  const limit = limitBytes === undefined ? hostBytes : Math.min(Number(limitBytes), hostBytes);
  return {
    ...(usageBytes > 0 && { usage: usageBytes }),
    ...(maximumUsageBytes > 0 && { max_usage: maximumUsageBytes }),
    ...(Object.keys(details).length > 0 && { stats: toDetails(details) }),
    ...(failures > 0 && { failcnt: failures }),
    limit,
  };
}

const detailsV2 =
  "active_anon active_file anon anon_thp file file_dirty file_mapped file_writeback inactive_anon inactive_file kernel_stack pgactivate pgdeactivate pgfault pglazyfree pglazyfreed pgmajfault pgrefill pgscan pgsteal shmem slab slab_reclaimable slab_unreclaimable sock thp_collapse_alloc thp_fault_alloc unevictable workingset_activate workingset_nodereclaim workingset_refault".split(
    " ",
  );
const ownDetailsV1 =
  "active_anon active_file cache dirty inactive_anon inactive_file mapped_file pgfault pgmajfault pgpgin pgpgout rss rss_huge unevictable writeback".split(
    " ",
  );
const detailsV1 = [
  ...ownDetailsV1,
  "hierarchical_memory_limit",
  "hierarchical_memsw_limit",
  ...ownDetailsV1.map((name) => `total_${name}`),
].toSorted();

/** The fields that dockerd tells of `memory.stat`; one that the kernel does not have is zero. */
function toDetails(details: Readonly<Record<string, bigint>>): Readonly<Record<string, number>> {
  const isV1 = "hierarchical_memory_limit" in details;
  // Kernels since 5.9 split a field by what was read again.
  const value = (name: string): bigint =>
    details[name] ?? (name.startsWith("workingset_") ? (details[`${name}_anon`] ?? 0n) + (details[`${name}_file`] ?? 0n) : 0n);
  const entries = (isV1 ? detailsV1 : detailsV2).map((name) => [name, value(name)] as const);
  const exact = entries.filter(([, number]) => number > Number.MAX_SAFE_INTEGER).map(([name, number]) => [name, String(number)]);
  return Object.fromEntries([
    ...entries.map(([name, number]) => [name, Number(number)]),
    ...(exact.length > 0 ? [[exactKey, Object.fromEntries(exact)]] : []),
  ]) as Readonly<Record<string, number>>; // numbers, and the digits that they cannot hold (`exact-integers.ts`)
}

function toNetworks(usage: SampledUsage, names: readonly string[]): Record<string, ContainerNetworkStats> {
  return Object.fromEntries(
    names.flatMap((name) => {
      const counters = usage.interfaces.get(name);
      if (!counters) return [];
      return [
        [
          name,
          {
            rx_bytes: counters.receivedBytes,
            rx_packets: counters.receivedPackets,
            rx_errors: counters.receiveErrors,
            rx_dropped: counters.receiveDropped,
            tx_bytes: counters.sentBytes,
            tx_packets: counters.sentPackets,
            tx_errors: counters.sendErrors,
            tx_dropped: counters.sendDropped,
          },
        ] as const,
      ];
    }),
  );
}
