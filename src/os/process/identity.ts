import { readFileSync } from "node:fs";
import { libc, systemCall, SystemError } from "../libc.ts";

const SYS_pidfd_send_signal = 424;
const SYS_pidfd_open = 434;
const POLLIN = 1;

/** Start time of a process in clock ticks since boot; undefined when there is none, or only its zombie. Source: proc_pid_stat(5), field 22. */
export function processStartTicks(pid: number): number | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    // The name in parentheses may hold spaces and parentheses itself.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    if (fields[0] === "Z" || fields[0] === "X") return undefined;
    return Number(fields[19]);
  } catch {
    return undefined; // gone
  }
}

/** True while the process with this pid is the one that had this start time. */
export function isSameProcess(pid: number, startTicks: number): boolean {
  return pid > 0 && processStartTicks(pid) === startTicks;
}

/** Sends a signal to exactly this process, never to another that got its pid. Returns false when it is gone. */
export function signalProcess(pid: number, startTicks: number, signal: number): boolean {
  let descriptor: number;
  try {
    descriptor = systemCall(`open process ${pid}`, SYS_pidfd_open, pid, 0);
  } catch (error) {
    if (error instanceof SystemError && error.code === "ESRCH") return false;
    throw error;
  }
  try {
    if (!isSameProcess(pid, startTicks)) return false;
    systemCall(`send signal ${signal} to process ${pid}`, SYS_pidfd_send_signal, descriptor, signal, null, 0);
    return true;
  } catch (error) {
    if (error instanceof SystemError && error.code === "ESRCH") return false;
    throw error;
  } finally {
    libc.close(descriptor);
  }
}

/** A descriptor that becomes readable when the process ends; undefined when it has ended. The caller closes it. Source: pidfd_open(2). */
export function openProcess(pid: number, startTicks: number): number | undefined {
  try {
    const descriptor = systemCall(`open process ${pid}`, SYS_pidfd_open, pid, 0);
    if (isSameProcess(pid, startTicks)) return descriptor;
    libc.close(descriptor);
    return undefined;
  } catch (error) {
    if (error instanceof SystemError && error.code === "ESRCH") return undefined;
    throw error;
  }
}

/** True when the process behind a pidfd has ended. Does not wait. */
export function processEnded(descriptor: number): boolean {
  const request = Buffer.alloc(8);
  request.writeInt32LE(descriptor, 0);
  request.writeInt16LE(POLLIN, 4);
  return libc.poll(request, 1, 0) === 1;
}
