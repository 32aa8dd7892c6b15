import { readCgroupUsage, type CgroupUsage } from "#os/cgroup-usage.ts";
import type { CgroupHierarchy } from "#os/cgroup.ts";
import { hostCpuUsage, hostMemoryBytes, interfaceCounters, type InterfaceCounters } from "#os/host-usage.ts";

/** What a container uses, with what of the host it is to be compared with. */
export interface ContainerUsage extends CgroupUsage {
  /** Of the network namespace that its first process is in, by the names there. */
  readonly interfaces: ReadonlyMap<string, InterfaceCounters>;
  readonly host: { readonly cpuNanoseconds: number; readonly processors: number; readonly memoryBytes: number };
}

/** @throws ErrnoException `ENOENT` or `ESRCH` when the container has just ended */
export function readContainerUsage(hierarchies: readonly CgroupHierarchy[], pid: number, cgroupsPath: string): ContainerUsage {
  const usage = readCgroupUsage(hierarchies, cgroupsPath);
  const { nanoseconds, processors } = hostCpuUsage();
  return {
    ...usage,
    interfaces: interfaceCounters(pid),
    host: { cpuNanoseconds: nanoseconds, processors, memoryBytes: hostMemoryBytes() },
  };
}
