import { EngineError } from "#lib/errors.ts";
import type { ContainerUpdateRequest, HostConfig } from "#types/engine-api/index.ts";

/** Limits that an update may change; of every other field it says nothing. Zero and an empty text mean "as it is". */
const numbers = [
  "BlkioWeight",
  "CpuShares",
  "NanoCpus",
  "CpuPeriod",
  "CpuQuota",
  "CpuRealtimePeriod",
  "CpuRealtimeRuntime",
  "Memory",
  "MemorySwap",
  "MemoryReservation",
] as const satisfies readonly (keyof HostConfig)[];
const texts = ["CpusetCpus", "CpusetMems"] as const satisfies readonly (keyof HostConfig)[];

/**
 * The configuration of a container after an update. Pure.
 * @throws {EngineError} `conflict` with Docker's texts for what contradicts the container's own
 */
export function mergeUpdate(host: HostConfig, update: ContainerUpdateRequest): HostConfig {
  refuseConflicts(host, update);
  const limits = [...numbers, ...texts].flatMap((field) => (update[field] ? [[field, update[field]] as const] : []));
  const { PidsLimit: pids, RestartPolicy: policy } = update;
  return {
    ...host,
    ...Object.fromEntries(limits),
    // Docker shows no limit as zero.
    ...(pids !== undefined && pids !== null && { PidsLimit: Math.max(0, pids) }),
    ...(policy?.Name && { RestartPolicy: { Name: policy.Name, MaximumRetryCount: policy.MaximumRetryCount ?? 0 } }),
  };
}

function refuseConflicts(host: HostConfig, update: ContainerUpdateRequest): void {
  const refuse = (reason: string): EngineError => new EngineError("conflict", reason);
  const isSet = (value: number | undefined): boolean => (value ?? 0) > 0;
  for (const [field, name] of [["CpuPeriod", "CPU Period"] as const, ["CpuQuota", "CPU Quota"] as const]) {
    if (isSet(update.NanoCpus) && isSet(host[field]))
      throw refuse(`Conflicting options: Nano CPUs cannot be updated as ${name} has already been set`);
    if (isSet(update[field]) && isSet(host.NanoCpus))
      throw refuse(`Conflicting options: ${name} cannot be updated as NanoCPUs has already been set`);
  }
  const memory = update.Memory ?? 0;
  if (memory !== 0 && !update.MemorySwap && memory > (host.MemorySwap ?? 0))
    throw refuse("Memory limit should be smaller than already set memoryswap limit, update the memoryswap at the same time");
  const policy = update.RestartPolicy?.Name ?? "";
  if (host.AutoRemove && policy !== "" && policy !== "no")
    throw refuse("Restart policy cannot be updated because AutoRemove is enabled for the container");
}
