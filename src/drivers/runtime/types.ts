import type { RuntimeResources, RuntimeSpec } from "#types/oci/runtime-spec.ts";
import type { ContainerUsage } from "./usage.ts";

/** What the monitor of a container needs to know before the runtime's configuration is complete. Paths are absolute. */
export interface RuntimeBeginRequest {
  readonly id: string;
  readonly bundle: string;
  /** As the configuration will name it. */
  readonly cgroupsPath: string;
  readonly spoolLog: string;
  readonly spoolSizeLimitBytes: number;
  /** Where conmon tells `exit` and `oom`. */
  readonly persistFolder: string;
  readonly tty: boolean;
  readonly openStdin: boolean;
  /** The first client that leaves closes stdin. */
  readonly stdinOnce: boolean;
  /** Folder of a checkpoint: `create` then leaves an init that goes on from it, and `start` is not called. */
  readonly checkpoint?: string;
}

/** Paths are absolute. */
export interface CheckpointRequest {
  readonly id: string;
  readonly bundle: string;
  /** A folder that is there, and empty. */
  readonly imageFolder: string;
}

/** A container whose monitor and runtime are on their way. Disposing it ends what was begun and removes what was made. */
export interface StartingContainer extends AsyncDisposable {
  /** True when the monitor has given up before anything was asked of it. */
  hasEnded(): boolean;
  /**
   * Leaves an init that waits.
   * @throws {EngineError} with Docker's classes of messages; the runtime's own text in `cause`
   */
  create(spec: RuntimeSpec): Promise<RuntimeProcess>;
}

/** A created or running container, enough to find it again after a restart of the daemon. */
export interface RuntimeProcess {
  readonly pid: number;
  /** Start time of the process in clock ticks since boot (/proc/PID/stat, field 22): tells a recycled pid. */
  readonly pidStartTicks: number;
  readonly monitorPid: number;
  readonly monitorStartTicks: number;
}

export interface RuntimeExit {
  readonly exitCode: number;
  readonly oomKilled: boolean;
  /** Set when the monitor died and the code is not known. */
  readonly error?: string;
}

/** What is told of a run. */
export interface RunListener {
  /** A process of it was killed for want of memory: at once, and before its end; again after a restart of the daemon. */
  onOom(): void;
  /** Its first process has ended: once. */
  onExit(exit: RuntimeExit): void;
}

/** A container as it is found at a start of the daemon: it runs, waits for its start, has ended, or is not there. */
export interface FoundContainer {
  /** First process and monitor, as far as they are alive. */
  readonly process?: RuntimeProcess;
  readonly alive: boolean;
  /** The monitor is still there: an exit file may follow. */
  readonly monitorAlive: boolean;
  /** Made but never let go: a daemon died between create and start. */
  readonly waitsForStart: boolean;
  readonly exit?: RuntimeExit;
}

export interface ExecRequest {
  readonly containerId: string;
  readonly execId: string;
  /** A folder of its own below the exec root; made and removed by the driver. */
  readonly bundle: string;
  readonly process: RuntimeSpec["process"];
  readonly openStdin: boolean;
}

/** An exec without a terminal and with a client: the pipes of the runtime's child are the client's streams, so a slow client holds it back. */
export interface PipedExec {
  readonly pid: Promise<number>;
  readonly stdout: ExecOutput;
  readonly stderr: ExecOutput;
  readonly stdin: StdinConnection | undefined;
  /** Rejects with a `StartError` when the program could not be run. */
  readonly exit: Promise<number>;
  /** Ends the program and what it has started, whatever it is at; `exit` follows. */
  kill(): void;
}

export interface ExecOutput {
  read(): Promise<Uint8Array | undefined>;
  /** Reads on and throws away, so that the process is not held back by a client that has left. */
  drain(): void;
  /** Gives up what is still to come: a child in the background may hold the other end for ever. */
  close(): Promise<void>;
}

/** An exec with a terminal, or detached: conmon holds it, and it outlives the daemon. */
export interface MonitoredExec {
  readonly process: RuntimeProcess;
  readonly exit: Promise<number>;
}

export interface StdinRequest {
  readonly bundle: string;
  readonly tty: boolean;
  /** The end of this connection is the end of the container's input. Has no meaning with a terminal. */
  readonly once: boolean;
}

/** A way to the container's stdin. */
export interface StdinConnection {
  /** Resolves when the bytes are taken (back-pressure). Rejects when nobody reads them any more. */
  write(chunk: Uint8Array): Promise<void>;
  /** Half-close: the container sees the end of its input. */
  end(): void;
  close(): void;
}

/**
 * conmon with crun or runc. `begin` and `create` leave an init that waits; `start` lets it go. Exits are told by a watch on the exit folder, and by
 * pidfd when a monitor was killed.
 */
export interface RuntimeDriver {
  /** As `--runtime` names it. */
  readonly name: string;
  readonly path: string;
  /** The bundle must not be there yet. */
  begin(request: RuntimeBeginRequest): StartingContainer;
  start(id: string, process: RuntimeProcess): Promise<void>;
  /** `all`: every process of the container's cgroup. */
  signal(id: string, process: RuntimeProcess, signal: number, all?: boolean): Promise<void>;
  execPiped(request: ExecRequest): PipedExec;
  /** @throws {StartError} when the program cannot be run. Without `spoolLog` the output goes nowhere. */
  execMonitored(request: ExecRequest & { readonly tty: boolean; readonly spoolLog?: string }): Promise<MonitoredExec>;
  /** Ends a piped exec of a daemon before this one, if it still runs in a container of ours. */
  endLeftExec(bundle: string, isOurs: (containerId: string) => boolean): void;
  /** Gives back what an exec left: its bundle. */
  removeExec(bundle: string): Promise<void>;
  stdin(request: StdinRequest): Promise<StdinConnection>;
  resize(bundle: string, width: number, height: number): Promise<void>;
  pause(id: string): Promise<void>;
  resume(id: string): Promise<void>;
  /** True while its processes are frozen, whoever did it. */
  isFrozen(id: string): boolean;
  /** Undefined when it has just ended. */
  usage(process: RuntimeProcess, cgroupsPath: string): ContainerUsage | undefined;
  /** Sets limits of a running container; -1 is none, devices stay. @throws {LimitRefused} by the kernel; what was set until then stays */
  setLimits(cgroupsPath: string, limits: Omit<RuntimeResources, "devices">): Promise<void>;
  /** Processes of the container, host pids. */
  pids(id: string): Promise<readonly number[]>;
  /** Why containers of this runtime cannot be written down, nor go on from what was; undefined when they can, as far as it is known. */
  checkpointRefusal(): string | undefined;
  /**
   * Writes down what a paused container is at; it stays paused, whatever comes of it. The runtime goes on with it when the daemon dies.
   * @throws {CheckpointFailure} with criu's own reason
   */
  checkpoint(request: CheckpointRequest): Promise<void>;
  /** Resolves when no checkpoint of the container is being written any more, by a daemon before this one. */
  checkpointEnded(id: string): Promise<void>;
  /** True while process and monitor are those of the record. */
  alive(process: RuntimeProcess): { readonly init: boolean; readonly monitor: boolean };
  /** Milliseconds since the first process was started; no step of the clock moves it. */
  ageOf(process: RuntimeProcess): number;
  /** What is left of a container from before this daemon started. */
  find(id: string, bundle: string, persistFolder: string): FoundContainer;
  /**
   * Ends what a daemon before this one was about to make and nobody will take up: monitors of this instance, with the runtime below them,
   * whose container is not wanted. For a start of the daemon, before `remove`.
   */
  endStrayMonitors(isWanted: (id: string) => boolean): Promise<void>;
  /** Begins to tell of a run, also of one that has ended while nobody looked. */
  watch(id: string, process: RuntimeProcess, persistFolder: string, listener: RunListener): void;
  /** Removes the runtime's state, cgroups, bundle and exit files. Success when they are gone. */
  remove(id: string, bundle: string, cgroupsPath: string): Promise<void>;
  /** Ids with state on this host. */
  list(): Promise<readonly string[]>;
}
