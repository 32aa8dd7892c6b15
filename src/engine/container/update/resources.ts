import type { ContainerUpdateRequest, HostConfig } from "#types/engine-api/index.ts";
import type { RuntimeResources } from "#types/oci/runtime-spec.ts";
import { toRuntimeLimits } from "../spec/resources.ts";

export type Limits = Omit<RuntimeResources, "devices">;

/** What a limit is when there is none. Source: OCI runtime-spec, config-linux.md. */
const none = {
  bytes: -1,
  processes: -1,
  shares: 1024,
  quota: -1,
  periodMicroseconds: 100_000,
  realtimeRuntime: 0,
  realtimePeriod: 1_000_000,
};

/**
 * What the runtime is to set for an update: the limits that the update speaks of, with those that the kernel looks at beside them, and nothing
 * else. Undefined when that is nothing.
 * @param host       as it will be, or as it was when an update is taken back
 * @param available  CPUs and memory nodes of the machine
 */
export function updatedResources(
  host: HostConfig,
  update: ContainerUpdateRequest,
  available: { readonly cpus: string; readonly mems: string },
): Limits | undefined {
  const all = toRuntimeLimits(host);
  const hasPids = update.PidsLimit !== undefined && update.PidsLimit !== null;
  const memory = {
    ...((update.Memory || update.MemorySwap) && { limit: all.memory?.limit ?? none.bytes, swap: all.memory?.swap ?? none.bytes }),
    ...(update.MemoryReservation && { reservation: all.memory?.reservation ?? none.bytes }),
  };
  const cpu = {
    ...(update.CpuShares && { shares: all.cpu?.shares ?? none.shares }),
    ...((update.NanoCpus || update.CpuQuota || update.CpuPeriod) && {
      period: all.cpu?.period ?? none.periodMicroseconds,
      quota: all.cpu?.quota ?? none.quota,
    }),
    ...((update.CpuRealtimeRuntime || update.CpuRealtimePeriod) && {
      realtimeRuntime: all.cpu?.realtimeRuntime ?? none.realtimeRuntime,
      realtimePeriod: all.cpu?.realtimePeriod ?? none.realtimePeriod,
    }),
    ...(update.CpusetCpus && { cpus: all.cpu?.cpus ?? available.cpus }),
    ...(update.CpusetMems && { mems: all.cpu?.mems ?? available.mems }),
  };
  const resources = {
    ...(isAny(memory) && { memory }),
    ...(isAny(cpu) && { cpu }),
    ...(update.BlkioWeight && host.BlkioWeight && { blockIO: { weight: host.BlkioWeight } }),
    ...(hasPids && { pids: all.pids ?? { limit: none.processes } }),
  };
  return isAny(resources) ? resources : undefined;
}

const isAny = (value: object): boolean => Object.keys(value).length > 0;
