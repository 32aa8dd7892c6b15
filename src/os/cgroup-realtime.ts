import { mkdirSync, writeFileSync } from "node:fs";
import { cgroupFolder, type CgroupHierarchy } from "./cgroup.ts";

export interface RealtimeShare {
  /** Zero: the kernel's. */
  readonly periodMicroseconds: number;
  readonly runtimeMicroseconds: number;
}

/**
 * Gives a cgroup, and all above it, time for real-time processes: one that has none could give none to a container. Version 1 only.
 * @throws ErrnoException `EINVAL` for more than the host has left
 */
export function giveRealtime(hierarchies: readonly CgroupHierarchy[], path: string, share: RealtimeShare): void {
  const parts = path.split("/").filter(Boolean);
  for (const [index] of parts.entries()) {
    const folder = cgroupFolder(hierarchies, "cpu", parts.slice(0, index + 1).join("/"));
    if (folder === undefined) return;
    mkdirSync(folder, { recursive: true });
    if (share.periodMicroseconds > 0) writeFileSync(`${folder}/cpu.rt_period_us`, String(share.periodMicroseconds));
    writeFileSync(`${folder}/cpu.rt_runtime_us`, String(share.runtimeMicroseconds));
  }
}
