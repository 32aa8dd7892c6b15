import type { RuntimeSpec } from "#types/oci/runtime-spec.ts";

/** What the runtime and its monitor need to make a container. Paths are absolute. */
export interface RuntimeCreateRequest {
  readonly id: string;
  readonly name: string;
  readonly bundle: string;
  readonly spec: RuntimeSpec;
  readonly spoolLog: string;
  readonly spoolSizeLimitBytes: number;
  /** conmon's second copy of `exit` and `oom`; survives a reboot. */
  readonly persistFolder: string;
  readonly tty: boolean;
  readonly openStdin: boolean;
  /** The first client that leaves closes stdin. */
  readonly stdinOnce: boolean;
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

export interface ExecRequest {
  readonly containerId: string;
  readonly execId: string;
  readonly bundle: string;
  readonly process: RuntimeSpec["process"];
  readonly tty: boolean;
  readonly openStdin: boolean;
  /** Without a client the output goes nowhere. */
  readonly detached: boolean;
}

/** A running exec. Attached without a tty its stdio are pipes of the runtime's child; with a tty or detached conmon holds them. */
export interface ExecProcess {
  readonly pid: number;
  /** Frames of Docker's stream protocol, or raw bytes with a tty; undefined at the end. */
  read(): Promise<Uint8Array | undefined>;
  write(chunk: Uint8Array): Promise<void>;
  closeStdin(): void;
  resize(width: number, height: number): Promise<void>;
  readonly exit: Promise<number>;
  /** The client has left: gives back pipes and buffers; the process goes on. */
  abandon(): void;
}

/** A connection to the container's stdin through conmon. */
export interface StdinConnection {
  /** Resolves when conmon has taken the bytes (back-pressure). Rejects when the container has ended. */
  write(chunk: Uint8Array): Promise<void>;
  /** Half-close: the container sees the end of its input. */
  end(): void;
  close(): void;
}

/**
 * conmon with crun or runc. `create` leaves an init that waits; `start` lets it go. Exits are told by a watch on the exit folder, and by
 * pidfd when a monitor was killed.
 */
export interface RuntimeDriver {
  /** As `--runtime` names it. */
  readonly name: string;
  readonly path: string;
  /** @throws {EngineError} with Docker's classes of messages; the runtime's own text in `cause` */
  create(request: RuntimeCreateRequest): Promise<RuntimeProcess>;
  start(id: string, process: RuntimeProcess): Promise<void>;
  /** `all`: every process of the container's cgroup. */
  signal(id: string, process: RuntimeProcess, signal: number, all?: boolean): Promise<void>;
  exec(request: ExecRequest): Promise<ExecProcess>;
  stdin(bundle: string): Promise<StdinConnection>;
  resize(bundle: string, width: number, height: number): Promise<void>;
  pause(id: string): Promise<void>;
  resume(id: string): Promise<void>;
  /** Processes of the container, host pids. */
  pids(id: string): Promise<readonly number[]>;
  /** True while process and monitor are those of the record. */
  alive(process: RuntimeProcess): { readonly init: boolean; readonly monitor: boolean };
  /** Begins to tell exits: once per container, also for those that ended while nobody looked. */
  watch(id: string, process: RuntimeProcess, persistFolder: string, onExit: (exit: RuntimeExit) => void): void;
  /** Removes the runtime's state, cgroups, bundle and exit files. Success when they are gone. */
  remove(id: string, bundle: string): Promise<void>;
  /** Ids with state on this host. */
  list(): Promise<readonly string[]>;
}
