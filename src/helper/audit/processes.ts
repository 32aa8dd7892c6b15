import { readFileSync } from "node:fs";
import { basename } from "node:path";
import type { Finding } from "./difference.ts";
import { isBelow, type Process } from "./host.ts";
import type { LiveContainer, Records } from "./records.ts";

const runtimePrograms = new Set(["conmon", "crun", "runc"]);

/** Monitor and first process of each running container, no monitor or runtime of one that does not run, no zombie of the daemon. */
export function checkProcesses(records: Records, processes: readonly Process[]): Finding[] {
  const byPid = new Map(processes.map((one) => [one.pid, one]));
  return [
    ...records.live.flatMap((container) => checkContainer(container, byPid)),
    ...strayPrograms(records, processes),
    ...zombies(daemonPid(records, byPid), processes),
  ];
}

function checkContainer({ id, state }: LiveContainer, byPid: ReadonlyMap<number, Process>): Finding[] {
  const { pid, pidStartTicks, monitorPid, monitorStartTicks } = state.process;
  const isAlive = (one: Process | undefined, ticks: number): boolean => one !== undefined && one.state !== "Z" && one.startTicks === ticks;
  const wanted = [
    { name: "first process", pid, alive: isAlive(byPid.get(pid), pidStartTicks) },
    { name: "monitor", pid: monitorPid, alive: isAlive(byPid.get(monitorPid), monitorStartTicks) },
  ];
  return wanted
    .filter(({ alive }) => !alive)
    .map(({ name, pid: subject }) => ({
      kind: "process",
      subject: String(subject),
      message: `has ended, should be the ${name} of container ${id}, which is ${state.status}`,
      owner: id,
    }));
}

/** They name paths of this instance, and the container they work for. */
function strayPrograms(records: Records, processes: readonly Process[]): Finding[] {
  const { execRoot } = records.instance;
  return processes
    .filter(({ argv }) => runtimePrograms.has(basename(argv[0] ?? "")) && argv.some((argument) => isBelow(argument, execRoot)))
    .flatMap(({ pid, argv }) => {
      const owner = argv.find((argument) => records.mayRun(argument));
      const program = basename(argv[0] ?? "");
      if (owner === undefined) return stray(pid, `${program} of a container that does not run, should have ended`);
      const state = records.containers.get(owner)?.state;
      const isMonitor = program === "conmon" && argv.includes(records.paths.container(owner).bundle);
      if (!isMonitor || !state || !("process" in state) || state.process.monitorPid === pid) return [];
      return stray(pid, `is a second monitor of container ${owner} beside ${state.process.monitorPid}`);
    });
}

function zombies(daemon: number | undefined, processes: readonly Process[]): Finding[] {
  return processes
    .filter(({ parent, state }) => parent === daemon && state === "Z")
    .flatMap(({ pid }) => stray(pid, `is a zombie of the daemon ${daemon}, should have been waited for`));
}

const stray = (pid: number, message: string): Finding[] => [{ kind: "process", subject: String(pid), message }];

/** Pid of the daemon while it runs. */
export function daemonPid(records: Records, byPid: ReadonlyMap<number, Process>): number | undefined {
  try {
    const pid = Number(readFileSync(records.paths.pidFile, "utf8"));
    // A stale file may name anybody.
    return byPid.get(pid)?.argv.some((argument) => /daemon|dockerd|gantryd/.test(argument)) ? pid : undefined;
  } catch {
    return undefined; // it does not run
  }
}
