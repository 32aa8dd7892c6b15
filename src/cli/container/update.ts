import { atLeast, command } from "../command.ts";
import { printFailures } from "../each.ts";
import { bytes, int, text, uint16 } from "../flag-kinds.ts";
import { messageOf } from "#lib/errors.ts";
import { cpusFlag, parseRestartPolicy } from "./options/limits.ts";

export const update = command({
  usage: "[OPTIONS] CONTAINER [CONTAINER...]",
  args: atLeast(1),
  completes: "containers",
  examples: ["update --memory 512m --memory-swap 1g web", "update --restart on-unhealthy:3 web"],
  flags: {
    blkioWeight: uint16(undefined, "Share of disk time, 10 to 1000"),
    cpuPeriod: int(undefined, "Length of a scheduling period in microseconds, for --cpu-quota"),
    cpuQuota: int(undefined, "CPU time in each period, in microseconds"),
    cpuRtPeriod: int(undefined, "Length of a real-time period in microseconds"),
    cpuRtRuntime: int(undefined, "Real-time CPU time in each period, in microseconds"),
    cpuShares: int("c", "Weight when CPUs are scarce, 2 to 262144"),
    cpus: cpusFlag("CPUs it may use, such as 1.5"),
    cpusetCpus: text(undefined, "CPUs to run on, such as 0-3 or 0,2"),
    cpusetMems: text(undefined, "Memory nodes to use, such as 0-1"),
    kernelMemory: bytes(undefined, "Accepted, without effect: the kernel has no such limit any more", { hidden: true }),
    memory: bytes("m", "Memory it may use, such as 512m"),
    memoryReservation: bytes(undefined, "Memory it keeps when the host runs short, such as 256m"),
    memorySwap: bytes(undefined, "Memory and swap together; -1: swap without limit", { allowMinusOne: true }),
    pidsLimit: int(undefined, "Processes it may have; -1: no limit"),
    restart: text(undefined, "When to start it again: no, always, unless-stopped, on-failure[:TIMES], on-unhealthy[:TIMES]"),
  },
  run: async ({ args, flags, changed, client, out, err }) => {
    if (changed.size === 0) throw new Error("you must provide one or more flags when using this command");
    const body = {
      BlkioWeight: flags.blkioWeight,
      CpuPeriod: flags.cpuPeriod,
      CpuQuota: flags.cpuQuota,
      CpuRealtimePeriod: flags.cpuRtPeriod,
      CpuRealtimeRuntime: flags.cpuRtRuntime,
      CpuShares: flags.cpuShares,
      CpusetCpus: flags.cpusetCpus,
      CpusetMems: flags.cpusetMems,
      Memory: flags.memory,
      MemoryReservation: flags.memoryReservation,
      MemorySwap: flags.memorySwap,
      NanoCpus: flags.cpus,
      ...(flags.pidsLimit !== 0 ? { PidsLimit: flags.pidsLimit } : {}),
      RestartPolicy: flags.restart === "" ? { Name: "", MaximumRetryCount: 0 } : parseRestartPolicy(flags.restart),
    };
    const warnings: string[] = [];
    const failures: string[] = [];
    for (const name of args) {
      try {
        warnings.push(...((await client.containers.update(name, body)).Warnings ?? []));
        await out.line(name);
      } catch (error) {
        failures.push(messageOf(error));
      }
    }
    if (warnings.length > 0) await out.line(warnings.join("\n"));
    return printFailures({ err }, failures);
  },
});
