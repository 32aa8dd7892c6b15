import { readFileSync } from "node:fs";
import { ticksPerSecond } from "./process/age.ts";

/** Time of all processors since boot, idle time included, and time stolen by the host below not. Source: proc_stat(5), first seven fields. */
export function hostCpuUsage(): { readonly nanoseconds: number; readonly processors: number } {
  const text = readFileSync("/proc/stat", "latin1");
  const ticks = /^cpu +(.*)$/m.exec(text)?.[1]?.split(" ").slice(0, 7).map(Number) ?? [];
  return {
    nanoseconds: (ticks.reduce((sum, one) => sum + one, 0) * 1e9) / ticksPerSecond,
    processors: text.match(/^cpu\d+ /gm)?.length ?? 1,
  };
}

/** Source: proc_meminfo(5). */
export function hostMemoryBytes(): number {
  return Number(/^MemTotal: +(\d+) kB$/m.exec(readFileSync("/proc/meminfo", "latin1"))?.[1] ?? 0) * 1024;
}

/** Counters of one network interface. */
export interface InterfaceCounters {
  readonly receivedBytes: number;
  readonly receivedPackets: number;
  readonly receiveErrors: number;
  readonly receiveDropped: number;
  readonly sentBytes: number;
  readonly sentPackets: number;
  readonly sendErrors: number;
  readonly sendDropped: number;
}

/** The interfaces of the network namespace that a process is in, by name. Source: proc_pid_net(5), `dev`. @throws ErrnoException when it is gone */
export function interfaceCounters(pid: number): Map<string, InterfaceCounters> {
  const counters = new Map<string, InterfaceCounters>();
  for (const line of readFileSync(`/proc/${pid}/net/dev`, "latin1").split("\n").slice(2)) {
    const colon = line.lastIndexOf(":");
    if (colon < 0) continue;
    const field = line
      .slice(colon + 1)
      .trim()
      .split(/ +/)
      .map(Number);
    const [receivedBytes = 0, receivedPackets = 0, receiveErrors = 0, receiveDropped = 0] = field;
    const [sentBytes = 0, sentPackets = 0, sendErrors = 0, sendDropped = 0] = field.slice(8);
    counters.set(line.slice(0, colon).trim(), {
      ...{ receivedBytes, receivedPackets, receiveErrors, receiveDropped },
      ...{ sentBytes, sentPackets, sendErrors, sendDropped },
    });
  }
  return counters;
}
