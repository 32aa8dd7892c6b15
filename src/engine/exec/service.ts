import { deferred, sleep, type Deferred } from "#lib/async.ts";
import { EngineError, messageOf } from "#lib/errors.ts";
import { randomId } from "#lib/id.ts";
import { instancePaths } from "#lib/instance.ts";
import { startFailureExitCodes, StartError } from "#drivers/runtime/failure.ts";
import type { ExecRequest, MonitoredExec, PipedExec, StdinConnection } from "#drivers/runtime/types.ts";
import { readFromRootfs } from "#drivers/snapshot/read-in-root.ts";
import type { ContainerRecord } from "#types/record/container.ts";
import { copyStreams, type ClientStream } from "../container/attachment.ts";
import { containerAttributes } from "../container/create.ts";
import type { ContainerDependencies } from "../container/dependencies.ts";
import { parseDetachKeys } from "../container/detach-keys.ts";
import { buildProcess } from "../container/spec/build.ts";
import { linkedEnvironment } from "../container/links/linked.ts";
import { processInputs } from "../container/spec/assemble.ts";
import { checkFolder } from "../container/health/left-checks.ts";
import { runtimeOf } from "../container/start.ts";
import { isRunning } from "../container/state.ts";
import { resolveUser, type ResolvedUser } from "../container/user.ts";
import { containerCapabilities } from "../container/spec/capabilities.ts";
import { captureExec, type Captured, type CaptureLimits } from "./capture.ts";

/** What an exec was asked for. */
export interface ExecConfig {
  readonly command: readonly string[];
  readonly environment: readonly string[];
  readonly workingDirectory: string;
  readonly user: string;
  readonly privileged: boolean;
  readonly tty: boolean;
  readonly attachStdin: boolean;
  readonly attachStdout: boolean;
  readonly attachStderr: boolean;
  readonly detachKeys: string;
  readonly consoleSize?: readonly [height: number, width: number];
}

/** An exec, until some time after its end. */
export interface Exec {
  readonly id: string;
  readonly containerId: string;
  readonly config: ExecConfig;
  /** Its folder below the exec root. */
  readonly bundle: string;
  /** The container's run that it was made for: one that was never started ends with it. */
  readonly containerStartedAt: string;
  /** Resolves when its process is there, or will never be. */
  readonly began: Deferred<void>;
  running: boolean;
  started: boolean;
  exitCode: number | undefined;
  pid: number;
}

/** A health check runs as the container's user, in its folder and environment. */
const checkConfig: Omit<ExecConfig, "command"> = {
  environment: [],
  workingDirectory: "",
  user: "",
  privileged: false,
  tty: false,
  attachStdin: false,
  attachStdout: true,
  attachStderr: true,
  detachKeys: "",
};

/** Ended execs that can still be inspected; the oldest go first. */
const keptExecs = 1000;

/** How long a resize waits for an exec to begin: clients send it beside the start. */
const beginLimitMilliseconds = 10_000;

/** Programs that run in containers beside their first process. They are not kept over a restart of the daemon. */
export class ExecService {
  readonly #deps: ContainerDependencies;
  readonly #execs = new Map<string, Exec>();

  constructor(deps: ContainerDependencies) {
    this.#deps = deps;
  }

  /** @throws {EngineError} `not_found`, `conflict`, `invalid` with Docker's texts */
  create(name: string, config: ExecConfig): string {
    this.#deps.warmCgroups();
    if (config.command.length === 0) throw new EngineError("invalid", "No exec command specified");
    const record = this.#runningContainer(name);
    parseDetachKeys(config.detachKeys, "escape");
    if (config.user !== "") this.#resolveUser(config, record);
    linkedEnvironment(this.#deps, record); // all it is linked to must run
    return this.#add(record, config).id;
  }

  #add(record: ContainerRecord, config: ExecConfig, id = randomId(), folder = id): Exec {
    const exec: Exec = {
      id,
      bundle: instancePaths(this.#deps.instance).exec(folder),
      containerId: record.id,
      config,
      containerStartedAt: record.state.startedAt,
      began: deferred<void>(),
      running: false,
      started: false,
      exitCode: undefined,
      pid: 0,
    };
    this.#forgetOld();
    this.#execs.set(exec.id, exec);
    const entry = `exec_create: ${shownCommand(config.command)}`;
    this.#deps.events.emit("container", entry, record.id, { ...containerAttributes(record), execID: exec.id });
    return exec;
  }

  /**
   * Runs a program whose client is the daemon itself: a health check. Nothing is kept of it.
   * @throws {EngineError} when it could not be run
   */
  async check(id: string, command: readonly string[], limits: CaptureLimits, signal: AbortSignal): Promise<Captured> {
    if (command.length === 0) throw new EngineError("invalid", "No exec command specified");
    const execId = randomId();
    this.#add(this.#runningContainer(id), { ...checkConfig, command }, execId, checkFolder(execId));
    const { exec, record } = this.#claim(execId);
    try {
      const { runtime, request } = this.#prepare(exec, record);
      const running = runtime.execPiped(request);
      this.#announceStart(exec, record);
      const captured = await captureExec(running, limits, signal);
      this.#ended(exec, record, captured.exitCode, request.bundle);
      return captured;
    } catch (error) {
      this.#failed(exec, record, error);
      throw error;
    } finally {
      this.#execs.delete(execId);
    }
  }

  /** @throws {EngineError} `not_found` with Docker's text */
  find(id: string): Exec {
    const exec = this.#execs.get(id);
    if (!exec || this.#isGone(exec)) throw new EngineError("not_found", `No such exec instance: ${id}`);
    return exec;
  }

  /** With its container, or with the run of the container for which it was made and in which it was never started. */
  #isGone(exec: Exec): boolean {
    const state = this.#deps.containers.peek(exec.containerId)?.state;
    if (!state) return true;
    return !exec.started && (!isRunning(state) || state.startedAt !== exec.containerStartedAt);
  }

  /** Ids of a container's execs that have not ended. */
  ofContainer(containerId: string): string[] {
    return [...this.#execs.values()]
      .filter((exec) => exec.containerId === containerId && exec.exitCode === undefined && !this.#isGone(exec))
      .map((exec) => exec.id);
  }

  /** Starts without a client. */
  async startDetached(id: string): Promise<void> {
    const { exec, record } = this.#claim(id);
    try {
      const { runtime, request } = this.#prepare(exec, record);
      const running = await runtime.execMonitored({ ...request, openStdin: false, tty: exec.config.tty });
      exec.pid = running.process.pid;
      this.#announceStart(exec, record);
      void running.exit.then((code) => this.#ended(exec, record, code, request.bundle));
    } catch (error) {
      this.#failed(exec, record, error);
      throw error;
    }
  }

  /**
   * Starts with a client and copies until the program has ended or the client is gone.
   * @param accept  called when nothing can fail any more but the program itself
   */
  async startAttached(
    id: string,
    options: { readonly tty: boolean; readonly consoleSize?: readonly [number, number] },
    accept: () => Promise<ClientStream>,
    signal: AbortSignal,
  ): Promise<void> {
    const { exec, record } = this.#claim(id);
    let client: ClientStream | undefined;
    try {
      const prepared = this.#prepare(exec, record, options.consoleSize);
      client = await accept();
      await (exec.config.tty ? this.#runTerminal(exec, record, prepared, client, signal) : this.#runPiped(exec, record, prepared, client));
    } catch (error) {
      this.#failed(exec, record, error);
      if (!client) throw error;
      // The connection is the client's stream by now: the reason goes where its output would have gone.
      const text = Buffer.from(`${messageOf(error)}\r\n`);
      await client.write(exec.config.tty ? text : withHead(text, 1)).catch(() => undefined);
      client.end();
    }
  }

  async #runPiped(exec: Exec, record: ContainerRecord, prepared: Prepared, client: ClientStream): Promise<void> {
    const running = prepared.runtime.execPiped(prepared.request);
    void running.pid.then((pid) => (exec.pid = pid));
    this.#announceStart(exec, record);
    const outputs = copyOutputs(running, client, exec.config);
    void copyInput(client, running.stdin); // ends with the client
    const exitCode = await running.exit;
    // What the program wrote before its end is read to the end; a background child may hold the pipe open for ever.
    await Promise.race([outputs, client.closed]);
    running.stdin?.close();
    this.#ended(exec, record, exitCode, prepared.request.bundle);
    client.end();
  }

  /** conmon holds the terminal; its spool is read as a container's output is. */
  async #runTerminal(exec: Exec, record: ContainerRecord, prepared: Prepared, client: ClientStream, signal: AbortSignal): Promise<void> {
    const { runtime, request } = prepared;
    const { logs } = this.#deps;
    const spoolFolder = `${request.bundle}/spool`;
    const forget = async (): Promise<void> => {
      await logs.remove(exec.id, { spoolFolder, logsFolder: spoolFolder });
      await runtime.removeExec(request.bundle);
    };
    await this.#deps.makeFolder(spoolFolder);
    await logs.open({ containerId: exec.id, spoolFolder, logsFolder: spoolFolder, driver: "none", options: {}, attributes: {}, tty: true });
    let running: MonitoredExec;
    try {
      running = await runtime.execMonitored({ ...request, tty: true, spoolLog: `${spoolFolder}/log` });
    } catch (error) {
      await forget();
      throw error;
    }
    const output = logs.attach(exec.id, { from: 0, stdout: true, stderr: true, framed: false, lag: "drop" }, signal);
    exec.pid = running.process.pid;
    this.#announceStart(exec, record);
    const ended = running.exit.then(async (code) => {
      // The client sees the end of the output, and asks for the code.
      exec.running = false;
      exec.exitCode = code;
      await logs.finish(exec.id);
      this.#ended(exec, record, code);
    });
    // It may outlive this client: its folder goes when it has ended and nobody reads any more.
    const stdin = exec.config.attachStdin
      ? await runtime.stdin({ bundle: request.bundle, tty: true, once: false }).catch(() => undefined)
      : undefined;
    const how = await copyStreams(client, output, stdin, {
      ...{ stdin: exec.config.attachStdin, stdout: true, stderr: true, tty: true, foreground: true, framed: false, closeStdin: false },
      detachKeys: parseDetachKeys(exec.config.detachKeys),
    });
    if (how === "detached")
      this.#deps.events.emit("container", "exec_detach", record.id, { ...containerAttributes(record), execID: exec.id });
    const over = ended
      .then(forget)
      .catch((error: unknown) => this.#deps.log.warn("clean-up after an exec failed", { exec: exec.id, error: messageOf(error) }));
    if (how === "output-ended") await over;
    stdin?.close();
  }

  /** @throws {EngineError} `not_found`, `conflict` with Docker's texts */
  async resize(id: string, width: number, height: number, signal: AbortSignal): Promise<void> {
    const exec = this.find(id);
    const began = exec.began.promise.then(() => true);
    const waited = new AbortController();
    const isThere = await Promise.race([began, sleep(beginLimitMilliseconds, AbortSignal.any([signal, waited.signal])).then(() => false)]);
    waited.abort();
    if (!isThere) throw new EngineError("conflict", "timeout waiting for exec session ready");
    if (!exec.running) throw new EngineError("conflict", `exec process is not started`);
    const record = this.#deps.containers.get(exec.containerId);
    if (exec.config.tty) await runtimeOf(this.#deps, record).resize(exec.bundle, width, height);
  }

  /** An exec is started once. */
  #claim(id: string): { exec: Exec; record: ContainerRecord } {
    const exec = this.find(id);
    if (exec.exitCode !== undefined) throw new EngineError("conflict", `exec command ${id} has already run`);
    if (exec.started) throw new EngineError("conflict", `exec command ${id} is already running`);
    const record = this.#runningContainer(exec.containerId);
    exec.started = true;
    exec.running = true;
    return { exec, record };
  }

  #prepare(exec: Exec, record: ContainerRecord, consoleSize = exec.config.consoleSize): Prepared {
    const { config } = exec;
    const inputs = processInputs(this.#deps, record, this.#resolveUser(config, record));
    const capabilities = config.privileged
      ? containerCapabilities({ privileged: true, add: [], drop: [] }, this.#deps.settings.capabilities)
      : inputs.capabilities;
    const base = buildProcess({
      ...inputs,
      capabilities,
      config: {
        ...inputs.config,
        Tty: config.tty,
        Env: mergeEnvironment(inputs.config.Env ?? [], config.environment),
        WorkingDir: config.workingDirectory || inputs.config.WorkingDir || "/",
      },
      hostConfig: { ...inputs.hostConfig, ...(consoleSize && { ConsoleSize: consoleSize }) },
    });
    const request: ExecRequest = {
      containerId: record.id,
      execId: exec.id,
      bundle: exec.bundle,
      process: { ...base, args: config.command },
      openStdin: config.attachStdin,
    };
    return { runtime: runtimeOf(this.#deps, record), request };
  }

  /** @throws {EngineError} `invalid` with Docker's text for a name that the container does not know */
  #resolveUser(config: ExecConfig, record: ContainerRecord): ResolvedUser {
    const { rootfs } = instancePaths(this.#deps.instance).container(record.id);
    const [passwd = "", group = ""] = readFromRootfs(rootfs, ["etc/passwd", "etc/group"]);
    const groups = config.user === "" ? (record.hostConfig.GroupAdd ?? []) : [];
    return resolveUser(config.user || record.config.User || "", groups, passwd, group);
  }

  #announceStart(exec: Exec, record: ContainerRecord): void {
    exec.began.resolve();
    const entry = `exec_start: ${shownCommand(exec.config.command)}`;
    this.#deps.events.emit("container", entry, record.id, { ...containerAttributes(record), execID: exec.id });
  }

  #ended(exec: Exec, record: ContainerRecord, exitCode: number, bundle?: string): void {
    exec.running = false;
    exec.exitCode = exitCode;
    this.#deps.events.emit("container", "exec_die", record.id, {
      ...containerAttributes(record),
      execID: exec.id,
      exitCode: String(exitCode),
    });
    if (bundle !== undefined) this.#removeBundle(record, bundle);
  }

  #failed(exec: Exec, record: ContainerRecord, error: unknown): void {
    exec.running = false;
    exec.began.resolve();
    exec.exitCode = error instanceof StartError ? startFailureExitCodes[error.failure] : 126;
    this.#removeBundle(record, exec.bundle);
  }

  #removeBundle(record: ContainerRecord, bundle: string): void {
    runtimeOf(this.#deps, record)
      .removeExec(bundle)
      .catch((error: unknown) => this.#deps.log.warn("folder of an exec could not be removed", { bundle, error: messageOf(error) }));
  }

  #runningContainer(name: string): ContainerRecord {
    const record = this.#deps.containers.find(name);
    if (record.state.status === "paused")
      throw new EngineError("conflict", `Container ${name} is paused, unpause the container before exec`);
    if (record.state.status === "restarting")
      throw new EngineError("conflict", `Container ${record.id} is restarting, wait until the container is running`);
    if (!isRunning(record.state)) throw new EngineError("conflict", `container ${record.id} is not running`);
    return record;
  }

  #forgetOld(): void {
    if (this.#execs.size < keptExecs) return;
    for (const [id, exec] of this.#execs) {
      if (this.#execs.size < keptExecs) return;
      if (exec.exitCode !== undefined || this.#isGone(exec)) this.#execs.delete(id);
    }
  }
}

/** A space always follows the program, as dockerd writes it. */
function shownCommand([program = "", ...words]: readonly string[]): string {
  return `${program} ${words.join(" ")}`;
}

interface Prepared {
  readonly runtime: ReturnType<typeof runtimeOf>;
  readonly request: ExecRequest;
}

/** What is set for the exec goes before what the container has. */
function mergeEnvironment(base: readonly string[], own: readonly string[]): string[] {
  const named = new Set(own.map((entry) => entry.split("=")[0]));
  return [...base.filter((entry) => !named.has(entry.split("=")[0])), ...own];
}

async function copyOutputs(running: PipedExec, client: ClientStream, config: ExecConfig): Promise<void> {
  let turn = Promise.resolve();
  const copy = async (read: PipedExec["stdout"], stream: 1 | 2, wanted: boolean): Promise<void> => {
    if (!wanted) return read.drain();
    for (;;) {
      const chunk = await read.read();
      if (!chunk) return;
      // Frames of the two streams must not be mixed.
      turn = turn.then(() => client.write(withHead(chunk, stream)));
      try {
        await turn;
      } catch {
        return read.drain(); // the client has left: the program goes on
      }
    }
  };
  await Promise.all([copy(running.stdout, 1, config.attachStdout), copy(running.stderr, 2, config.attachStderr)]);
}

async function copyInput(client: ClientStream, stdin: StdinConnection | undefined): Promise<void> {
  try {
    for (;;) {
      const chunk = await client.read();
      if (!chunk) break;
      await stdin?.write(chunk).catch(() => undefined); // the program has closed its input
    }
  } catch {
    // the client's connection broke off
  }
  stdin?.end();
}

function withHead(chunk: Uint8Array, stream: 1 | 2): Uint8Array {
  const framed = Buffer.allocUnsafe(8 + chunk.length);
  framed.writeUInt32BE(stream * 0x01000000, 0);
  framed.writeUInt32BE(chunk.length, 4);
  framed.set(chunk, 8);
  return framed;
}
