import type { ContainerUpdateRequest, HostConfig } from "#types/engine-api/index.ts";
import type { RuntimeResources } from "#types/oci/runtime-spec.ts";
import { toRuntimeResources } from "../spec/resources.ts";

export type Limits = Omit<RuntimeResources, "devices">;

/** What a limit is when there is none. Source: OCI runtime-spec, config-linux.md. */
const none = { bytes: -1, processes: -1, shares: 1024, quota: -1, periodMicroseconds: 100_000 };

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
  const all = toRuntimeResources(host, []);
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
    ...(update.CpusetCpus && { cpus: all.cpu?.cpus ?? available.cpus }),
    ...(update.CpusetMems && { mems: all.cpu?.mems ?? available.mems }),
  };
  const resources = {
    ...(isAny(memory) && { memory }),
    ...(isAny(cpu) && { cpu }),
    ...(update.BlkioWeight && all.blockIO && { blockIO: all.blockIO }),
    ...(hasPids && { pids: all.pids ?? { limit: none.processes } }),
  };
  return isAny(resources) ? resources : undefined;
}

const isAny = (value: object): boolean => Object.keys(value).length > 0;
