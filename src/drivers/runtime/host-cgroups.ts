import { existsSync, readFileSync } from "node:fs";
import { cgroupFolder, cgroupMode, type CgroupHierarchy } from "#os/cgroup.ts";

/** What this host's cgroups can give. Read once: neither the version nor the nodes change under a running daemon. */
export interface HostCgroups {
  /** Hybrid hosts have their controllers on version 1. */
  readonly version: 1 | 2;
  /** CPUs and memory nodes as a list (`0-3,6`); empty where the cpuset controller is missing. */
  readonly cpus: string;
  readonly mems: string;
  /** The disks' scheduler heeds weights. */
  readonly hasBlkioWeight: boolean;
}

export function readHostCgroups(hierarchies: readonly CgroupHierarchy[]): HostCgroups {
  const version = cgroupMode(hierarchies) === "v2" ? 2 : 1;
  const folder = cgroupFolder(hierarchies, "cpuset", "/") ?? "";
  const suffix = version === 2 ? ".effective" : "";
  const hasBlkioWeight =
    version === 2 ? hasController(hierarchies, "io") : existsSync(`${cgroupFolder(hierarchies, "blkio", "/")}/blkio.weight`);
  return { version, hasBlkioWeight, cpus: readList(`${folder}/cpuset.cpus${suffix}`), mems: readList(`${folder}/cpuset.mems${suffix}`) };
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
