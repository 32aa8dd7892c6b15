import { existsSync, readFileSync } from "node:fs";
import { cgroupFolder, cgroupMode, type CgroupHierarchy } from "#os/cgroup.ts";

export type { RealtimeShare } from "#os/cgroup-realtime.ts";

/** Limits of block devices one by one, as HostConfig names them, with their files of version 1. */
const blkioFiles = {
  BlkioWeightDevice: "weight_device",
  BlkioDeviceReadBps: "throttle.read_bps_device",
  BlkioDeviceWriteBps: "throttle.write_bps_device",
  BlkioDeviceReadIOps: "throttle.read_iops_device",
  BlkioDeviceWriteIOps: "throttle.write_iops_device",
} as const;

export type BlkioDeviceLimit = keyof typeof blkioFiles;

/** What this host's cgroups can give. Read once: neither the version nor the nodes change under a running daemon. */
export interface HostCgroups {
  /** Hybrid hosts have their controllers on version 1. */
  readonly version: 1 | 2;
  /** CPUs and memory nodes as a list (`0-3,6`); empty where the cpuset controller is missing. */
  readonly cpus: string;
  readonly mems: string;
  readonly hasCpuset: boolean;
  /** The disks' scheduler heeds weights. */
  readonly hasBlkioWeight: boolean;
  readonly blkioDeviceLimits: ReadonlySet<BlkioDeviceLimit>;
  readonly hasCpuRealtime: boolean;
  readonly hasKernelMemoryTcp: boolean;
  readonly hasSwappiness: boolean;
  readonly hasOomKillDisable: boolean;
}

export function readHostCgroups(hierarchies: readonly CgroupHierarchy[]): HostCgroups {
  const version = cgroupMode(hierarchies) === "v2" ? 2 : 1;
  const folder = cgroupFolder(hierarchies, "cpuset", "/") ?? "";
  const suffix = version === 2 ? ".effective" : "";
  const hasIo = version === 2 && hasController(hierarchies, "io");
  const hasFile = (controller: string, file: string): boolean =>
    version === 1 && existsSync(`${cgroupFolder(hierarchies, controller, "/")}/${file}`);
  const isBlkioDeviceLimit = (name: string): name is BlkioDeviceLimit => name in blkioFiles;
  return {
    version,
    cpus: readList(`${folder}/cpuset.cpus${suffix}`),
    mems: readList(`${folder}/cpuset.mems${suffix}`),
    hasCpuset: hasController(hierarchies, "cpuset"),
    hasBlkioWeight: hasIo || hasFile("blkio", "blkio.weight"),
    blkioDeviceLimits: new Set(
      Object.keys(blkioFiles)
        .filter(isBlkioDeviceLimit)
        .filter((name) => hasIo || hasFile("blkio", `blkio.${blkioFiles[name]}`)),
    ),
    hasCpuRealtime: hasFile("cpu", "cpu.rt_period_us"),
    hasKernelMemoryTcp: hasFile("memory", "memory.kmem.tcp.limit_in_bytes"),
    hasSwappiness: hasFile("memory", "memory.swappiness"),
    hasOomKillDisable: hasFile("memory", "memory.oom_control"),
  };
}

function hasController(hierarchies: readonly CgroupHierarchy[], name: string): boolean {
  return hierarchies.some(({ controllers }) => controllers.includes(name));
}

function readList(file: string): string {
  try {
    return readFileSync(file, "utf8").trim();
  } catch {
    return ""; // no cpuset controller
  }
}
