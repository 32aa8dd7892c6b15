import { deferred } from "#lib/async.ts";
import { parseDigest } from "#lib/digest.ts";
import { EngineError, isKind, messageOf } from "#lib/errors.ts";
import { instancePaths } from "#lib/instance.ts";
import { logPath } from "#drivers/log/storage.ts";
import type { LogEntry, LogQuery, OutputReader } from "#drivers/log/types.ts";
import type { ContainerCreateRequest, EndpointSettings } from "#types/engine-api/index.ts";
import type { ContainerRecord } from "#types/record/container.ts";
import { copyStreams, type AttachEnd, type AttachOptions, type ClientStream } from "./attachment.ts";
import { stopInOrder } from "./boot-order/stop.ts";
import { containerAttributes, createContainer, type CreateOptions, type CreateResult } from "./create.ts";
import type { ContainerDependencies } from "./dependencies.ts";
import { HealthMonitor } from "./health/monitor.ts";
import { Lifecycle } from "./lifecycle.ts";
import { LiveContainers, type LiveContainer, type PendingAttach } from "./live.ts";
import { parseContainerName } from "./names.ts";
import { connectContainer, disconnectContainer, networkEndpoints, rewriteFiles, type NetworkEndpoint } from "./networking.ts";
import { cgroupsPath } from "./spec/assemble.ts";
import { refuseLinked } from "./links/admit.ts";
import { linkPath } from "./links/linked.ts";
import { joinEntries } from "./log-pieces.ts";
import { logConfig } from "./log-config.ts";
import { isStdinOnce, makeFolders } from "./monitor.ts";
import { openUpper, writableFolders } from "./rootfs.ts";
import { SpareMonitors } from "./spare-monitor.ts";
import { openInput, runtimeOf } from "./start.ts";
import { isRunning } from "./state.ts";
import { ContainerCheckpoints } from "./checkpoint/checkpoints.ts";
import type { CheckpointName } from "./checkpoint/place.ts";
import { StatsCollector } from "./stats/collector.ts";
import { topProcesses, type ProcessTable } from "./top.ts";
import { ContainerUpdates } from "./update/update.ts";
import { Waiters, type WaitCondition, type WaitResult } from "./waiters.ts";

/** Containers, as the API sees them. Names in parameters are ids, names or prefixes of ids. */
export class ContainerService {
  readonly #deps: ContainerDependencies;
  readonly #live = new LiveContainers();
  readonly #waiters = new Waiters();
  readonly #spares: SpareMonitors;
  readonly lifecycle: Lifecycle;
  readonly health: HealthMonitor;
  readonly stats: StatsCollector;
  readonly updates: ContainerUpdates;
  readonly checkpoints: ContainerCheckpoints;

  /** Another number whenever any record is another: of a container, network, image or volume. */
  get revision(): number {
    return this.#deps.store.revision;
  }

  constructor(deps: ContainerDependencies) {
    this.#deps = deps;
    this.#spares = new SpareMonitors(deps);
    this.lifecycle = new Lifecycle(deps, this.#live, this.#waiters, this.#spares);
    this.stats = new StatsCollector({
      ...deps,
      usageOf: (record) =>
        isRunning(record.state) ? runtimeOf(deps, record).usage(record.state.process, cgroupsPath(deps, record)) : undefined,
    });
    this.updates = new ContainerUpdates(deps, this.lifecycle);
    this.checkpoints = new ContainerCheckpoints(deps, this.#live, this.lifecycle);
    this.health = new HealthMonitor({
      ...deps,
      restartUnhealthy: (id) => this.lifecycle.restartUnhealthy(id),
      ageOf: (record) => (isRunning(record.state) ? runtimeOf(deps, record).ageOf(record.state.process) : 0),
    });
  }

  /** What was left by an earlier daemon is in order: containers may be made ready ahead. */
  open(): void {
    this.#spares.open();
  }

  async create(request: ContainerCreateRequest, options: CreateOptions): Promise<CreateResult> {
    const { spare, ...result } = await createContainer(this.#deps, request, options, this.#spares);
    const live = this.#live.of(result.id);
    if (spare) live.keepSpare(spare);
    else {
      live.folders = makeFolders(this.#deps, result.id);
      live.folders.catch(() => undefined); // told by the start
    }
    return result;
  }

  /** @throws {EngineError} `not_found` with Docker's text */
  find(name: string): ContainerRecord {
    return this.#deps.containers.find(name);
  }

  lookup(name: string): ContainerRecord | undefined {
    return this.#deps.containers.lookup(name);
  }

  /** Names that a container has by the links of others: `/CONTAINER/ALIAS`. */
  linkNames(id: string): string[] {
    const linking = this.#deps.containers.linkingTo(id);
    return linking.flatMap((record) => (record.links ?? []).flatMap((link) => (link.containerId === id ? [linkPath(record, link)] : [])));
  }

  /** @throws {EngineError} `not_found`, `conflict` with Docker's texts */
  async removeLink(name: string): Promise<void> {
    const found = this.#deps.containers.findLink(name);
    if (found === undefined && this.lookup(name))
      throw new EngineError("conflict", "Conflict, cannot remove the default link name of the container");
    const record = await this.#deps.containers.removeLink(name);
    if (found) refuseLinked(this.#deps, record, found.link.containerId);
    if (isRunning(record.state)) await rewriteFiles(this.#deps, record.id);
  }

  list(): ContainerRecord[] {
    return [...this.#deps.containers.all()];
  }

  /** @param checkpoint  it goes on from there */
  start(name: string, checkpoint?: CheckpointName): Promise<void> {
    const find = checkpoint && ((record: ContainerRecord) => this.checkpoints.forStart(record, checkpoint));
    return this.lifecycle.start(this.find(name).id, find);
  }

  stop(name: string, options: { readonly signal?: string; readonly timeoutSeconds?: number }): Promise<void> {
    return this.lifecycle.stop(this.find(name).id, options, name);
  }

  /** @throws {EngineError} with Docker's texts */
  async restart(name: string, options: { readonly signal?: string; readonly timeoutSeconds?: number }): Promise<void> {
    const { id } = this.find(name);
    try {
      await this.lifecycle.restart(id, options);
    } catch (error) {
      if (!(error instanceof EngineError)) throw error;
      throw new EngineError(error.kind, `Cannot restart container ${name}: ${error.message}`, { cause: error });
    }
  }

  kill(name: string, signal: string): Promise<void> {
    const record = this.lookup(name);
    if (!record) throw new EngineError("not_found", `cannot kill container: ${name}: No such container: ${name}`);
    return this.lifecycle.kill(record.id, signal, name);
  }

  remove(name: string, options: { readonly force: boolean; readonly volumes: boolean }): Promise<void> {
    return this.lifecycle.remove(this.find(name).id, options, name);
  }

  async pause(name: string): Promise<void> {
    const record = this.#running(name);
    if (record.state.status === "paused") throw new EngineError("conflict", `Container ${record.id} is already paused`);
    this.#refuseWhileWritten(record);
    await this.#freeze(record);
    await this.#deps.containers.change(record.id, { type: "pause" });
    this.#deps.events.emit("container", "pause", record.id, containerAttributes(record));
  }

  /** @throws {EngineError} `conflict` when the container ends or is killed meanwhile */
  async #freeze(record: ContainerRecord): Promise<void> {
    const runtime = runtimeOf(this.#deps, record);
    const failure = await runtime.pause(record.id).then(
      () => undefined,
      (error: unknown) => error,
    );
    const { killed } = this.#live.of(record.id);
    if (failure === undefined && !killed) return;
    if (!killed && isRunning(record.state) && runtime.alive(record.state.process).init) throw failure;
    // What is frozen cannot die; that it has died already is no failure.
    await runtime.resume(record.id).catch(() => undefined);
    throw new EngineError("conflict", `cannot pause container ${record.id}: it is about to end`);
  }

  async unpause(name: string): Promise<void> {
    const record = this.find(name);
    if (record.state.status !== "paused") throw new EngineError("conflict", `Container ${record.id} is not paused`);
    this.#refuseWhileWritten(record);
    await runtimeOf(this.#deps, record).resume(record.id);
    await this.#deps.containers.change(record.id, { type: "unpause" });
    this.#deps.events.emit("container", "unpause", record.id, containerAttributes(record));
  }

  #refuseWhileWritten({ id }: ContainerRecord): void {
    if (this.#live.of(id).isBeingWritten) throw new EngineError("conflict", `a checkpoint of container ${id} is being written`);
  }

  /** @throws {EngineError} `invalid`, `conflict` with Docker's texts */
  /** A client has said hello: many that do start a container next. */
  expectStart(): void {
    this.#deps.warmCgroups();
  }

  async rename(name: string, wanted: string): Promise<void> {
    const record = this.find(name);
    if (wanted === "") throw new EngineError("invalid", "Neither old nor new names may be empty");
    const newName = await allocating(() => parseContainerName(`/${wanted.replace(/^\//, "")}`));
    if (newName === record.name) throw new EngineError("invalid", "Renaming a container with the same name as its current name");
    await allocating(() => this.#deps.containers.rename(record.id, newName));
    const renamed = this.find(record.id);
    for (const endpoint of this.#deps.networks.endpointRequests(renamed)) {
      // What has ended keeps its sandbox in the record for a moment.
      if (renamed.sandbox && isRunning(renamed.state)) this.#deps.networkDriver.rename(record.id, endpoint.networkId, endpoint.dnsNames);
    }
    this.#deps.events.emit("container", "rename", record.id, { ...containerAttributes(renamed), oldName: `/${record.name}` });
  }

  /** Answered at once when the condition holds already. The headers of the answer can be sent as soon as this is called. */
  wait(name: string, condition: WaitCondition, signal: AbortSignal): Promise<WaitResult> {
    const removed = condition === "removed" && !this.lookup(name) ? this.#waiters.endOfRemoved(name) : undefined;
    if (removed) return Promise.resolve(removed);
    const record = this.find(name);
    const ended = !isRunning(record.state) && record.state.status !== "restarting" && record.state.status !== "starting";
    if (condition === "not-running" && ended) return Promise.resolve({ exitCode: record.state.exitCode, error: record.state.error });
    return this.#waiters.add(record.id, condition, signal);
  }

  /**
   * Attaches a client. To a container that does not run yet, the client waits for its start.
   * @param accept  called when nothing can fail any more: the connection then belongs to the stream
   */
  async attach(
    name: string,
    options: Omit<AttachOptions, "tty" | "foreground" | "framed" | "closeStdin"> & {
      readonly stream: boolean;
      readonly logs: boolean;
      readonly framed: boolean;
      /** Starts the container when the client is attached to it; a start that fails is the answer. */
      readonly start: boolean;
    },
    accept: (tty: boolean) => Promise<ClientStream>,
    signal: AbortSignal,
  ): Promise<AttachEnd> {
    const record = this.find(name);
    if (record.state.status === "paused")
      throw new EngineError("conflict", `container ${record.id} is paused, unpause the container before attach`);
    if (record.state.status === "restarting")
      throw new EngineError("conflict", `container ${record.id} is restarting, wait until the container is running`);
    const tty = record.config.Tty === true;
    const live = this.#live.of(record.id);
    const foreground = !isRunning(record.state);
    const attachOptions: AttachOptions = {
      ...options,
      closeStdin: isStdinOnce(record.config),
      tty,
      foreground,
      framed: options.framed && !tty,
    };
    const begin = (): OutputReader | undefined => this.#openOutput(record, attachOptions, signal);
    const waiting = foreground && options.stream ? this.#awaitStart(live, begin, signal) : undefined;
    // In the same turn as the look at the state: nothing printed in between is missed or doubled.
    const running = foreground || !options.stream ? undefined : begin();
    if (options.start && foreground) await this.lifecycle.start(record.id);
    const client = await accept(tty);
    if (options.logs) await this.#replayLogs(record, attachOptions, client, signal);
    this.#deps.events.emit("container", "attach", record.id, containerAttributes(record));
    if (!options.stream) {
      client.end();
      return "output-ended";
    }
    if (foreground && !waiting) return this.#endAttach(client);
    const output = waiting ? await Promise.race([waiting, client.closed.then(() => undefined)]) : { output: running };
    if (!output) return this.#endAttach(client);
    const stdin = options.stdin && record.config.OpenStdin ? await this.#stdin(record, live) : undefined;
    const end = await copyStreams(client, output.output, stdin, attachOptions);
    if (end === "detached") this.#deps.events.emit("container", "detach", record.id, containerAttributes(record));
    return end;
  }

  #endAttach(client: ClientStream): AttachEnd {
    client.end();
    return "client-left";
  }

  #awaitStart(
    live: LiveContainer,
    begin: () => OutputReader | undefined,
    signal: AbortSignal,
  ): Promise<{ readonly output: OutputReader | undefined } | undefined> {
    const started = deferred<{ readonly output: OutputReader | undefined }>();
    const waiting: PendingAttach = { begin, started, cancelled: () => signal.aborted };
    live.pending.add(waiting);
    const leave = (): void => void live.pending.delete(waiting);
    signal.addEventListener("abort", leave, { once: true });
    return started.promise.finally(() => signal.removeEventListener("abort", leave));
  }

  #openOutput(record: ContainerRecord, options: AttachOptions, signal: AbortSignal): OutputReader | undefined {
    if (!options.stdout && !options.stderr) return undefined;
    const { logs } = this.#deps;
    return logs.attach(
      record.id,
      {
        from: options.foreground ? 0 : logs.offset(record.id),
        stdout: options.stdout,
        stderr: options.stderr,
        framed: options.framed,
        lag: options.foreground ? "hold" : "drop",
      },
      signal,
    );
  }

  #stdin(record: ContainerRecord, live: LiveContainer): LiveContainer["stdin"] {
    live.stdin ??= openInput(this.#deps, record);
    return live.stdin;
  }

  async #replayLogs(record: ContainerRecord, options: AttachOptions, client: ClientStream, signal: AbortSignal): Promise<void> {
    const query: LogQuery = { stdout: options.stdout, stderr: options.stderr, follow: false };
    for await (const entries of this.logs(record.id, query, signal)) {
      await client.write(joinEntries(entries, { framed: options.framed }));
    }
  }

  /** @throws {EngineError} with Docker's text when the driver keeps no log */
  logs(name: string, query: LogQuery, signal: AbortSignal): AsyncIterable<readonly LogEntry[]> {
    const record = this.find(name);
    return this.#deps.logs.read(logConfig(this.#deps, record), query, signal);
  }

  /** @throws {EngineError} `conflict` with Docker's text when it does not run */
  async resize(name: string, width: number, height: number): Promise<void> {
    const record = this.#running(name);
    await runtimeOf(this.#deps, record).resize(instancePaths(this.#deps.instance).container(record.id).bundle, width, height);
    this.#deps.events.emit("container", "resize", record.id, {
      ...containerAttributes(record),
      height: String(height),
      width: String(width),
    });
  }

  async top(name: string, psArguments: string): Promise<ProcessTable> {
    const record = this.#running(name);
    const table = await topProcesses(await runtimeOf(this.#deps, record).pids(record.id), psArguments);
    this.#deps.events.emit("container", "top", record.id, containerAttributes(record));
    return table;
  }

  connect(name: string, network: string, settings: EndpointSettings): Promise<void> {
    return connectContainer(this.#deps, this.find(name), network, settings);
  }

  disconnect(name: string, network: string, force: boolean): Promise<void> {
    const record = this.lookup(name);
    if (!record && force) return Promise.resolve();
    return disconnectContainer(this.#deps, this.find(name), network, force);
  }

  endpointsOf(networkId: string): NetworkEndpoint[] {
    return networkEndpoints(this.#deps.containers.all(), networkId);
  }

  /** Those that a prune takes: they do not run, and are not about to. */
  prunable(selected: (record: ContainerRecord) => boolean): ContainerRecord[] {
    const isIdle = ({ state }: ContainerRecord): boolean =>
      !isRunning(state) && state.status !== "restarting" && state.status !== "starting";
    return this.list().filter((record) => isIdle(record) && selected(record));
  }

  /** Removes containers that do not run. */
  async prune(
    selected: (record: ContainerRecord) => boolean,
  ): Promise<{ readonly deleted: readonly string[]; readonly reclaimedBytes: number }> {
    const deleted: string[] = [];
    let reclaimedBytes = 0;
    for (const record of this.prunable(selected)) {
      const { sizeBytes } = await this.size(record.id);
      try {
        await this.lifecycle.remove(record.id, { force: false, volumes: false });
        deleted.push(record.id);
        reclaimedBytes += sizeBytes;
      } catch (error) {
        // Started or removed by somebody else meanwhile.
        if (!isKind(error, "conflict", "not_found")) throw error;
      }
    }
    if (deleted.length > 0) this.#deps.events.emit("container", "prune", "", { reclaimed: String(reclaimedBytes) });
    return { deleted, reclaimedBytes };
  }

  /** Stops everything that runs, dependents first, each within its own timeout or this one: at a shutdown without live restore. */
  async stopAll(timeoutSeconds: number): Promise<void> {
    this.lifecycle.beginShutdown();
    const all = this.list();
    const running = all.filter((record) => isRunning(record.state));
    await stopInOrder(running, all, (record) =>
      this.lifecycle.stop(record.id, { timeoutSeconds: record.config.StopTimeout ?? timeoutSeconds, byDaemon: true }),
    );
  }

  /** Bytes the container has written over its image: as it sees them, and the blocks that they take. */
  async size(id: string): Promise<{ readonly sizeBytes: number; readonly allocatedBytes: number }> {
    const record = this.#deps.containers.peek(id);
    if (!record) return { sizeBytes: 0, allocatedBytes: 0 }; // removed while a list is made
    return this.#deps.snapshots.usage(await openUpper(this.#deps, record), record.layers.map(parseDigest));
  }

  /** Paths and names that inspect shows. */
  places(record: ContainerRecord) {
    const paths = instancePaths(this.#deps.instance).container(record.id);
    return {
      ...paths,
      ...writableFolders(this.#deps.instance, record),
      log: record.logDriver === "json-file" ? logPath(paths.logs, record.id) : "",
      snapshotter: this.#deps.snapshots.name,
      cgroups: cgroupsPath(this.#deps, record),
    };
  }

  #running(name: string): ContainerRecord {
    const record = this.find(name);
    if (!isRunning(record.state)) throw new EngineError("conflict", `container ${record.id} is not running`);
    return record;
  }
}

/** Says of a failure, in Docker's words, that it came while a new name was taken. */
async function allocating<T>(take: () => T | Promise<T>): Promise<T> {
  try {
    return await take();
  } catch (error) {
    const kind = error instanceof EngineError ? error.kind : "internal";
    throw new EngineError(kind, `Error when allocating new name: ${messageOf(error)}`, { cause: error });
  }
}
