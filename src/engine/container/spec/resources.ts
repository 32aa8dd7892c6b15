import type { HostConfig } from "#types/engine-api/index.ts";
import type { RuntimeDeviceRule, RuntimeResources } from "#types/oci/runtime-spec.ts";
import { toRuntimeBlockIo } from "./block-io.ts";

const cpuPeriodMicroseconds = 100_000;

/** Limits of the container's cgroup. Zero means "not set", as in Docker. */
export function toRuntimeResources(host: HostConfig, devices: readonly RuntimeDeviceRule[]): RuntimeResources {
  const blockIO = toRuntimeBlockIo(host);
  return { devices, ...toRuntimeLimits(host), ...(blockIO && { blockIO }) };
}

/** Those that name nothing of the host. */
export function toRuntimeLimits(host: HostConfig): Pick<RuntimeResources, "memory" | "cpu" | "pids"> {
  return {
    ...memoryLimits(host),
    ...cpuLimits(host),
    ...(host.PidsLimit && host.PidsLimit > 0 ? { pids: { limit: host.PidsLimit } } : {}),
  };
}

function memoryLimits(host: HostConfig): Pick<RuntimeResources, "memory"> {
  const limit = host.Memory || undefined;
  // Twice the memory unless said otherwise, as Docker; -1 means no limit.
  const swap = host.MemorySwap || (limit === undefined ? undefined : limit * 2);
  const memory = {
    ...(limit !== undefined && { limit }),
    ...(host.MemoryReservation ? { reservation: host.MemoryReservation } : {}),
    ...(swap !== undefined && { swap }),
    ...(host.MemorySwappiness !== undefined && host.MemorySwappiness !== null && host.MemorySwappiness >= 0
      ? { swappiness: host.MemorySwappiness }
      : {}),
    ...(host.OomKillDisable ? { disableOOMKiller: true } : {}),
    ...(host.KernelMemoryTCP ? { kernelTCP: host.KernelMemoryTCP } : {}),
  };
  return Object.keys(memory).length > 0 ? { memory } : {};
}

function cpuLimits(host: HostConfig): Pick<RuntimeResources, "cpu"> {
  const cpu = {
    ...(host.CpuShares ? { shares: host.CpuShares } : {}),
    ...(host.NanoCpus
      ? { period: cpuPeriodMicroseconds, quota: Math.round((host.NanoCpus * cpuPeriodMicroseconds) / 1e9) }
      : {
          ...(host.CpuQuota ? { quota: host.CpuQuota } : {}),
          ...(host.CpuPeriod ? { period: host.CpuPeriod } : {}),
        }),
    ...(host.CpuRealtimeRuntime ? { realtimeRuntime: host.CpuRealtimeRuntime } : {}),
    ...(host.CpuRealtimePeriod ? { realtimePeriod: host.CpuRealtimePeriod } : {}),
    ...(host.CpusetCpus ? { cpus: host.CpusetCpus } : {}),
    ...(host.CpusetMems ? { mems: host.CpusetMems } : {}),
  };
  return Object.keys(cpu).length > 0 ? { cpu } : {};
}
