import type { BlkioDeviceLimit, HostCgroups } from "#drivers/runtime/host-cgroups.ts";
import type { HostConfig } from "#types/engine-api/index.ts";
import { validateBlkioWeight } from "./validate.ts";

/** What can be left out of a create as well as of an update. */
type Limits = Pick<
  HostConfig,
  | "BlkioWeight"
  | BlkioDeviceLimit
  | "CpuPercent"
  | "CpusetCpus"
  | "CpusetMems"
  | "KernelMemoryTCP"
  | "Memory"
  | "MemorySwappiness"
  | "OomKillDisable"
>;

const blkioWarnings: Readonly<Record<BlkioDeviceLimit, string>> = {
  BlkioWeightDevice: "Block I/O weight_device or the cgroup is not mounted. Weight-device discarded.",
  BlkioDeviceReadBps: "BPS Block I/O read limit or the cgroup is not mounted. Block I/O BPS read limit discarded.",
  BlkioDeviceWriteBps: "BPS Block I/O write limit or the cgroup is not mounted. Block I/O BPS write limit discarded.",
  BlkioDeviceReadIOps: "IOPS Block read limit or the cgroup is not mounted. Block I/O IOPS read limit discarded.",
  BlkioDeviceWriteIOps: "IOPS Block write limit or the cgroup is not mounted. Block I/O IOPS write limit discarded.",
};

/**
 * What this host's kernel cannot do is left out, each with a word about it, as dockerd does. Pure.
 * @throws {EngineError} `invalid` for what no kernel could do: a wrong value is told, not left out (E4)
 */
export function withoutImpossible<T extends Limits>(
  wanted: T,
  cgroups: Omit<HostCgroups, "cpus" | "mems">,
): { readonly possible: T; readonly warnings: readonly string[] } {
  validateBlkioWeight(wanted.BlkioWeight ?? 0);
  const warnings: string[] = [];
  let left: Limits = {};
  const discard = (without: Limits, warning: string): void => {
    left = { ...left, ...without };
    warnings.push(warning);
  };
  if ((wanted.MemorySwappiness ?? -1) !== -1 && !cgroups.hasSwappiness)
    discard(
      { MemorySwappiness: null },
      unsupported("memory swappiness capabilities or the cgroup is not mounted. Memory swappiness discarded."),
    );
  if (wanted.OomKillDisable && !cgroups.hasOomKillDisable)
    discard({ OomKillDisable: null }, unsupported("OomKillDisable. OomKillDisable discarded."));
  else if (wanted.OomKillDisable && !wanted.Memory)
    warnings.push(
      "OOM killer is disabled for the container, but no memory limit is set, this can result in the system running out of resources.",
    );
  if (wanted.KernelMemoryTCP && !cgroups.hasKernelMemoryTcp)
    discard({ KernelMemoryTCP: 0 }, unsupported("kernel memory TCP limit or the cgroup is not mounted. Limitation discarded."));
  if (wanted.CpuPercent) discard({ CpuPercent: 0 }, "linux does not support CPU percent. Percent discarded.");
  if ((wanted.CpusetCpus || wanted.CpusetMems) && !cgroups.hasCpuset)
    discard({ CpusetCpus: "", CpusetMems: "" }, unsupported("cpuset or the cgroup is not mounted. Cpuset discarded."));
  if (wanted.BlkioWeight && !cgroups.hasBlkioWeight)
    discard({ BlkioWeight: 0 }, unsupported("Block I/O weight or the cgroup is not mounted. Weight discarded."));
  for (const [field, warning] of blkioDeviceLimits)
    if (wanted[field]?.length && !cgroups.blkioDeviceLimits.has(field)) discard({ [field]: [] }, unsupported(warning));
  return { possible: { ...wanted, ...left }, warnings };
}

const unsupported = (what: string): string => `Your kernel does not support ${what}`;

const isField = (name: string): name is BlkioDeviceLimit => name in blkioWarnings;
const blkioDeviceLimits = Object.entries(blkioWarnings).flatMap(([name, warning]) => (isField(name) ? [[name, warning] as const] : []));
