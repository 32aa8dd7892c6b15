import { closeSync, constants, existsSync, mkdirSync, openSync, readFileSync, unlinkSync, writeSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { sleep } from "#lib/async.ts";
import { EngineError, messageOf } from "#lib/errors.ts";
import { stringifyExact } from "#lib/exact-integers.ts";
import type { Logger } from "#lib/log.ts";
import { cgroupMode, cgroupProcesses, cgroupFolder, isCgroupFrozen, type CgroupHierarchy } from "#os/cgroup.ts";
import { setCgroupLimits } from "#os/cgroup-limits.ts";
import type { Kernel } from "#os/kernel.ts";
import { ageOfProcess } from "#os/process/age.ts";
import { isSameProcess, processStartTicks, signalProcess } from "#os/process/identity.ts";
import { allPids, commandLine } from "#os/process/list.ts";
import { childEnvironment } from "#os/process/self.ts";
import { descendants, killDescendants } from "#os/process/tree.ts";
import { removeTree } from "#os/remove-tree.ts";
import type { RuntimeResources, RuntimeSpec } from "#types/oci/runtime-spec.ts";
import { AwaitedConfiguration } from "./awaited-configuration.ts";
import { checkpointFailure, untilCheckpointEnded, writeCheckpoint } from "./checkpoint.ts";
import { monitorFiles, startMonitor, type RuntimeCommand } from "./conmon.ts";
import { execMonitored, execPiped } from "./exec.ts";
import { ExitWatch } from "./exit-watch.ts";
import type { KillCounter } from "./oom-watch.ts";
import { toStartError } from "./failure.ts";
import { resizeTerminal } from "./resize.ts";
import type { SeccompCache } from "./seccomp/cache.ts";
import { connectStdin } from "./stdin.ts";
import { readContainerUsage, type ContainerUsage } from "./usage.ts";
import type {
  CheckpointRequest,
  ExecRequest,
  FoundContainer,
  MonitoredExec,
  PipedExec,
  RuntimeBeginRequest,
  RunListener,
  RuntimeDriver,
  RuntimeProcess,
  StdinConnection,
  StartingContainer,
  StdinRequest,
} from "./types.ts";

export interface OciRuntimeOptions {
  /** As `--runtime` names it. */
  readonly name: string;
  /** crun or runc: they differ in how start and seccomp are done. */
  readonly family: "crun" | "runc";
  readonly command: RuntimeCommand;
  readonly conmonPath: string;
  readonly exitFolder: string;
  readonly hierarchies: readonly CgroupHierarchy[];
  readonly kernel: Kernel;
  /** Why it writes no checkpoints; undefined when it does, given a criu that works. */
  readonly checkpointRefusal?: string;
  /** crun only. */
  readonly seccompCache?: SeccompCache;
  readonly log: Logger;
}

/** An OCI runtime under conmon. See README.md for the order of steps and what a kill between them leaves behind. */
export class OciRuntime implements RuntimeDriver {
  readonly name: string;
  readonly path: string;
  readonly #options: OciRuntimeOptions;
  readonly #exits: ExitWatch;

  constructor(options: OciRuntimeOptions) {
    this.name = options.name;
    this.path = options.command.path;
    this.#options = options;
    mkdirSync(options.command.rootFolder, { recursive: true, mode: 0o700 });
    this.#exits = new ExitWatch(options.exitFolder, options.log);
  }

  begin(request: RuntimeBeginRequest): StartingContainer {
    const { id, bundle, cgroupsPath } = request;
    mkdirSync(bundle, { recursive: true, mode: 0o700 });
    const configuration = new AwaitedConfiguration(bundle);
    const options = { conmonPath: this.#options.conmonPath, runtime: this.#options.command, exitFolder: this.#options.exitFolder };
    const answered = startMonitor({ ...options, containerId: id, uniqueId: id, name: id, ...request });
    let settled = false;
    const ended = (): boolean => settled;
    answered.catch(() => undefined).finally(() => (settled = true)); // what failed is told by `create`
    let creating: Promise<RuntimeProcess> | undefined;
    return {
      hasEnded: () => settled && !creating,
      create: (spec) => (creating = this.#create(request, spec, configuration, { answered, ended })),
      [Symbol.asyncDispose]: async () => {
        configuration.abandon();
        await answered.catch(() => undefined);
        const process = await creating?.catch(() => undefined);
        if (process) await this.#end(id, process);
        await this.remove(id, bundle, cgroupsPath);
      },
    };
  }

  /** Ends one that was created and is not wanted. Its monitor writes an exit file, which must not come after the removal. */
  async #end(id: string, process: RuntimeProcess): Promise<void> {
    await this.signal(id, process, SIGKILL, true);
    for (const end = performance.now() + endLimitMilliseconds; this.alive(process).monitor && performance.now() < end;) await sleep(2);
  }

  async #create(
    { id, bundle, checkpoint }: RuntimeBeginRequest,
    spec: RuntimeSpec,
    configuration: AwaitedConfiguration,
    { answered, ended }: { readonly answered: Promise<number>; readonly ended: () => boolean },
  ): Promise<RuntimeProcess> {
    const cached = this.#withCompiledSeccomp(spec);
    let pid: number;
    try {
      await configuration.give(stringifyExact(cached.spec), ended);
      pid = await answered;
    } catch (error) {
      if (checkpoint !== undefined) throw await checkpointFailure(monitorFiles.restoreLog(bundle), messageOf(error));
      throw toStartError(error, "create", this.#options.family, spec.process.args[0] ?? "");
    }
    if (cached.compileKey !== undefined) await this.#options.seccompCache?.keep(cached.compileKey, `${this.#stateFolder(id)}/seccomp.bpf`);
    const monitorPid = Number(readFileSync(monitorFiles.monitorPid(bundle), "utf8"));
    return {
      pid,
      // Not there any more: it has ended at once, and the exit file tells how.
      pidStartTicks: processStartTicks(pid) ?? 0,
      monitorPid,
      monitorStartTicks: processStartTicks(monitorPid) ?? 0,
    };
  }

  /** crun's own `start` writes one byte to a fifo; doing that here saves a process (5.8 → 0.1 ms). */
  async start(id: string, process: RuntimeProcess): Promise<void> {
    if (this.#options.family !== "crun") return this.#run(["start", id]);
    const fifo = `${this.#stateFolder(id)}/exec.fifo`;
    const end = performance.now() + startLimitMilliseconds;
    for (;;) {
      try {
        // A plain open would wait for ever when the waiting init has died.
        const descriptor = openSync(fifo, constants.O_WRONLY | constants.O_NONBLOCK);
        unlinkSync(fifo);
        writeSync(descriptor, "1");
        closeSync(descriptor);
        return;
      } catch (error) {
        if (
          (error as NodeJS.ErrnoException).code !== "ENXIO" ||
          performance.now() > end ||
          !isSameProcess(process.pid, process.pidStartTicks)
        ) {
          throw new EngineError("internal", `cannot start container ${id}: its first process does not wait any more`, { cause: error });
        }
        await sleep(1);
      }
    }
  }

  async signal(id: string, process: RuntimeProcess, signal: number, all = false): Promise<void> {
    if (all) {
      // Without its state the container has just ended.
      for (const pid of await this.pids(id).catch(noneWhenGone)) signalIfAlive(pid, signal);
    }
    signalProcess(process.pid, process.pidStartTicks, signal);
  }

  execPiped(request: ExecRequest): PipedExec {
    return execPiped(this.#options, request);
  }

  execMonitored(request: ExecRequest & { readonly tty: boolean; readonly spoolLog?: string }): Promise<MonitoredExec> {
    return execMonitored(this.#options, request);
  }

  endLeftExec(bundle: string, isOurs: (containerId: string) => boolean): void {
    const pid = readPid(monitorFiles.pid(bundle));
    // Its cgroup tells it from another process that has got its pid.
    if (pid === undefined || !isOurs(containerOf(pid))) return;
    killDescendants(pid);
    signalIfAlive(pid, SIGKILL);
  }

  removeExec(bundle: string): Promise<void> {
    removeTree(bundle); // below the exec root, which is in memory
    return Promise.resolve();
  }

  stdin(request: StdinRequest): Promise<StdinConnection> {
    return connectStdin(request);
  }

  resize(bundle: string, width: number, height: number): Promise<void> {
    return resizeTerminal(bundle, width, height);
  }

  checkpointRefusal(): string | undefined {
    return this.#options.checkpointRefusal;
  }

  checkpoint(request: CheckpointRequest): Promise<void> {
    return writeCheckpoint(this.#options.command, request);
  }

  checkpointEnded(id: string): Promise<void> {
    return untilCheckpointEnded(this.#options.command, id);
  }

  pause(id: string): Promise<void> {
    return this.#run(["pause", id]);
  }

  resume(id: string): Promise<void> {
    return this.#run(["resume", id]);
  }

  isFrozen(id: string): boolean {
    const folder = this.#cgroup(id, "freezer");
    return folder !== undefined && isCgroupFrozen(folder);
  }

  usage(process: RuntimeProcess, cgroupsPath: string): ContainerUsage | undefined {
    if (!isSameProcess(process.pid, process.pidStartTicks)) return undefined;
    try {
      return readContainerUsage(this.#options.hierarchies, process.pid, cgroupsPath);
    } catch (error) {
      if (isGone(error)) return undefined;
      throw error;
    }
  }

  /** Not by the runtime's `update`: crun up to 1.8 does not know what -1 means. */
  setLimits(cgroupsPath: string, limits: Omit<RuntimeResources, "devices">): Promise<void> {
    return setCgroupLimits(this.#options.hierarchies, cgroupsPath, limits);
  }

  async pids(id: string): Promise<readonly number[]> {
    const folder = this.#cgroup(id, "pids");
    return folder === undefined ? [] : cgroupProcesses(folder);
  }

  #killCounter(id: string): KillCounter | undefined {
    const folder = this.#cgroup(id, "memory");
    if (folder === undefined) return undefined;
    const notifies = cgroupMode(this.#options.hierarchies) === "v2";
    return { path: `${folder}/${notifies ? "memory.events" : "memory.oom_control"}`, notifies };
  }

  #cgroup(id: string, controller: string): string | undefined {
    const { linux } = readJson(`${this.#configurationFolder(id)}/config.json`) as RuntimeSpec;
    return cgroupFolder(this.#options.hierarchies, controller, linux.cgroupsPath);
  }

  /** crun keeps the configuration with its state; runc's state says which bundle it came from. */
  #configurationFolder(id: string): string {
    const folder = this.#stateFolder(id);
    if (this.#options.family === "crun") return folder;
    const { labels = [] } = (readJson(`${folder}/state.json`) as { config: { labels?: string[] } }).config;
    return labels.find((label) => label.startsWith(bundleLabel))?.slice(bundleLabel.length) ?? folder;
  }

  alive(process: RuntimeProcess): { readonly init: boolean; readonly monitor: boolean } {
    return {
      init: isSameProcess(process.pid, process.pidStartTicks),
      monitor: isSameProcess(process.monitorPid, process.monitorStartTicks),
    };
  }

  ageOf(process: RuntimeProcess): number {
    return ageOfProcess(process.pidStartTicks);
  }

  find(id: string, bundle: string, persistFolder: string): FoundContainer {
    const exit = this.#exits.find(id, persistFolder);
    const pid = readPid(monitorFiles.pid(bundle));
    const monitorPid = readPid(monitorFiles.monitorPid(bundle));
    // The pid files lie below the exec root, which does not survive a reboot; conmon's own arguments tell a recycled pid.
    const isMonitor = monitorPid !== undefined && commandLine(monitorPid).includes(id);
    const pidStartTicks = pid === undefined ? undefined : processStartTicks(pid);
    const alive = pid !== undefined && pidStartTicks !== undefined && isMonitor && exit === undefined;
    const waitsForStart = alive && existsSync(`${this.#stateFolder(id)}/exec.fifo`);
    if (!alive) return { alive, monitorAlive: isMonitor, waitsForStart, ...(exit && { exit }) };
    const monitorStartTicks = processStartTicks(monitorPid) ?? 0;
    return { process: { pid, pidStartTicks, monitorPid, monitorStartTicks }, alive, monitorAlive: true, waitsForStart };
  }

  async endStrayMonitors(isWanted: (id: string) => boolean): Promise<void> {
    const killed: number[] = [];
    for (const pid of allPids()) {
      const words = commandLine(pid);
      const id = words[words.indexOf("-c") + 1] ?? "";
      const isOurs = words[0]?.endsWith("conmon") === true && words.includes("--exit-dir") && words.includes(this.#options.exitFolder);
      if (!isOurs || isWanted(id)) continue;
      // The monitor first: it would see the end of what it watches and begin to write of it.
      for (const member of [pid, ...descendants(pid)]) signalIfAlive(member, SIGKILL);
      killed.push(pid);
    }
    // One that was killed inside a system call may still make its file.
    const isThere = (pid: number): boolean => commandLine(pid).includes(this.#options.exitFolder);
    for (let waited = 0; waited < killedMilliseconds && killed.some(isThere); waited += 5) await sleep(5);
    this.#exits.removeUnfinished(isWanted);
  }

  watch(id: string, process: RuntimeProcess, persistFolder: string, listener: RunListener): void {
    this.#exits.add(id, process, { persistFolder, killCounter: () => this.#killCounter(id) }, listener);
  }

  /** Not by the runtime's `delete`: that is one more process, loaded twice, for three removals. */
  async remove(id: string, bundle: string, cgroupsPath: string): Promise<void> {
    this.#exits.remove(id);
    // What init left behind in another session would keep the cgroup.
    const group = cgroupFolder(this.#options.hierarchies, "pids", cgroupsPath);
    if (group !== undefined) for (const pid of cgroupProcesses(group)) signalIfAlive(pid, SIGKILL);
    await this.#options.kernel.run({ type: "remove-cgroup", path: cgroupsPath });
    for (const path of [this.#stateFolder(id), bundle]) {
      // A restore that was killed leaves the root file system mounted there, with the volumes in it: nothing may remove what they hold.
      await this.#options.kernel.run({ type: "umount", target: `${path}/criu-root` });
      await this.#options.kernel.run({ type: "remove-tree", path });
    }
  }

  async list(): Promise<readonly string[]> {
    return readdir(this.#options.command.rootFolder);
  }

  close(): void {
    this.#exits.close();
  }

  #stateFolder(id: string): string {
    return `${this.#options.command.rootFolder}/${id}`;
  }

  #withCompiledSeccomp(spec: RuntimeSpec): { readonly spec: RuntimeSpec; readonly compileKey?: string } {
    const cache = this.#options.seccompCache;
    const profile = spec.linux.seccomp;
    if (!cache || !profile) return { spec };
    const key = cache.key(profile);
    const program = cache.get(key);
    if (program === undefined) return { spec, compileKey: key };
    const { seccomp: _compiled, ...linux } = spec.linux;
    return { spec: { ...spec, annotations: { ...spec.annotations, "run.oci.seccomp_bpf_data": program }, linux } };
  }

  async #run(command: readonly string[]): Promise<void> {
    const { path, rootFolder, environment } = this.#options.command;
    const child = Bun.spawn([path, "--root", rootFolder, ...command], {
      stdio: ["ignore", "ignore", "pipe"],
      env: childEnvironment(environment),
    });
    const [text, code] = await Promise.all([new Response(child.stderr).text(), child.exited]);
    if (code !== 0) throw new EngineError("internal", `${this.name} ${command.join(" ")}: ${text.trim() || `exit status ${code}`}`);
  }
}

const killedMilliseconds = 1000;
const startLimitMilliseconds = 10_000;
const endLimitMilliseconds = 5000;
const SIGKILL = 9;

/** Id of the container whose cgroup a process is in; empty for others. */
function containerOf(pid: number): string {
  try {
    return /\/([0-9a-f]{64})$/m.exec(readFileSync(`/proc/${pid}/cgroup`, "latin1"))?.[1] ?? "";
  } catch {
    return ""; // gone
  }
}

function readPid(path: string): number | undefined {
  try {
    return Number(readFileSync(path, "utf8")) || undefined;
  } catch {
    return undefined; // never made, or taken away
  }
}

const bundleLabel = "bundle=";

/** What a runtime has written. */
function readJson(path: string): unknown {
  return JSON.parse(readFileSync(path, "utf8"));
}

function isGone(error: unknown): boolean {
  return ["ENOENT", "ESRCH", "ENODEV"].includes((error as NodeJS.ErrnoException).code ?? "");
}

function noneWhenGone(error: unknown): readonly number[] {
  if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
  throw error;
}

function signalIfAlive(pid: number, signal: number): void {
  const ticks = processStartTicks(pid);
  if (ticks !== undefined) signalProcess(pid, ticks, signal);
}
