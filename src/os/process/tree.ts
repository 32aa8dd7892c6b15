import { readFileSync } from "node:fs";
import { processStartTicks, signalProcess } from "./identity.ts";

const SIGKILL = 9;
const SIGSTOP = 19;

/** Children and their children, as the kernel lists them. Source: proc_pid_task_tid_children(5). */
export function descendants(pid: number): number[] {
  try {
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").split(" ").filter(Boolean).map(Number);
    return [...children.flatMap(descendants), ...children];
  } catch {
    return []; // gone, or a kernel without the file
  }
}

/** Kills what a process has started. All are stopped before the first is killed: none can start another, or lose its parent, in between. */
export function killDescendants(pid: number): void {
  const stopped = new Set<number>();
  for (let found = descendants(pid); found.some((one) => !stopped.has(one)); found = descendants(pid)) {
    for (const one of found) {
      stopped.add(one);
      signal(one, SIGSTOP);
    }
  }
  for (const one of stopped) signal(one, SIGKILL);
}

function signal(pid: number, number: number): void {
  const ticks = processStartTicks(pid);
  if (ticks !== undefined) signalProcess(pid, ticks, number);
}
