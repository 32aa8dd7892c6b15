import { readdirSync, readFileSync } from "node:fs";

/** Every process of this host. */
export function allPids(): number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
}

/** Its words as it was called with them; none when it is gone. Source: proc_pid_cmdline(5). */
export function commandLine(pid: number): string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0");
  } catch {
    return []; // gone
  }
}
