import { readFileSync } from "node:fs";

/** Clock ticks of proc_pid_stat(5): USER_HZ, the same on every architecture that Linux speaks of today. */
export const ticksPerSecond = 100;

/** Milliseconds since a process was started, by the clock of the kernel that no step of the time of day moves. Source: proc_uptime(5). */
export function ageOfProcess(startTicks: number): number {
  const uptimeSeconds = Number(readFileSync("/proc/uptime", "latin1").split(" ")[0]);
  return Math.max(0, (uptimeSeconds - startTicks / ticksPerSecond) * 1000);
}
