import type { RunListener, RuntimeExit, RuntimeProcess } from "#drivers/runtime/types.ts";
import { KeyedMutex, sleep } from "#lib/async.ts";
import { EngineError, isKind, messageOf } from "#lib/errors.ts";
import { instancePaths } from "#lib/instance.ts";
import type { ContainerRecord } from "#types/record/container.ts";
import { containerAttributes } from "./create.ts";
import type { ContainerDependencies } from "./dependencies.ts";
import type { LiveContainer, LiveContainers } from "./live.ts";
import { rewriteLinkingFiles } from "./networking.ts";
import { hasAnonymousVolumes, Removals } from "./removals.ts";
import { decideRestart } from "./restart-policy.ts";
import { parseSignal, parseSignalFor, SIGKILL } from "./signals.ts";
import { cgroupsPath } from "./spec/assemble.ts";
import type { SpareMonitors } from "./spare-monitor.ts";
import { now, runtimeOf, startContainer } from "./start.ts";
import { isRunning } from "./state.ts";
import { removeRootFolder } from "./user-namespace.ts";
import type { WaitResult, Waiters } from "./waiters.ts";

/** Beginning, end and removal of containers. One operation at a time for each container; exits are handled whenever they come. */
export class Lifecycle {
  readonly #deps: ContainerDependencies;
  readonly #live: LiveContainers;
  readonly #waiters: Waiters;
  readonly #spares: SpareMonitors;
  readonly #removals: Removals;
  readonly #locks = new KeyedMutex();
  #closing = false;

  constructor(deps: ContainerDependencies, live: LiveContainers, waiters: Waiters, spares: SpareMonitors) {
    this.#deps = deps;
    this.#live = live;
    this.#waiters = waiters;
    this.#spares = spares;
    this.#removals = new Removals(deps, live, waiters);
  }

  /**
   * @param findCheckpoint  finds the folder with what it goes on from; absent: it begins anew
   * @throws {EngineError} `not_modified` when it runs
   */
  start(id: string, findCheckpoint?: (record: ContainerRecord) => Promise<string>): Promise<void> {
    return this.#locks.run(id, () => this.#startLocked(id, false, findCheckpoint));
  }

  async #startLocked(id: string, automatic: boolean, findCheckpoint?: (record: ContainerRecord) => Promise<string>): Promise<void> {
    const { containers } = this.#deps;
    const record = containers.get(id);
    const live = this.#live.of(id);
    if (record.state.status === "paused") throw new EngineError("conflict", "cannot start a paused container, try unpause instead");
    if (isRunning(record.state)) throw new EngineError("not_modified", `container ${id} is already running`);
    if (record.state.status === "removing" || record.state.status === "dead") {
      throw new EngineError("conflict", "container is marked for removal and cannot be started");
    }
    clearTimeout(live.restartTimer);
    if (!automatic) live.restartDelayMilliseconds = 0;
    live.stopRequested = false;
    live.endedUnhealthy = false;
    live.killed = false;
    await live.teardown;
    // A stop or a removal may have come while this waited.
    if (automatic && containers.peek(id)?.state.status !== "restarting") return;
    if (!automatic && record.restartCount !== 0) await containers.note(id, { restartCount: 0 });
    try {
      await startContainer(this.#deps, id, live, { onExit: this.#listenerOf(id), findCheckpoint });
      await rewriteLinkingFiles(this.#deps, id);
    } catch (error) {
      this.#startFailed(id, live);
      throw error;
    } finally {
      this.#spares.prepare(afterStartMilliseconds);
    }
  }

  /** Clients that wait for output must not wait for ever; an AutoRemove container goes. Those who wait for an end go on waiting, as in dockerd. */
  #startFailed(id: string, live: LiveContainer): void {
    for (const waiting of live.pending) waiting.started.resolve({ output: undefined });
    live.pending.clear();
    live.stdin = undefined;
    if (this.#deps.containers.get(id).hostConfig.AutoRemove) void this.#removals.remove(id, { volumes: true });
  }

  /** Takes up a container that runs since before this daemon: after a restart of the daemon. */
  adopt(id: string): void {
    const record = this.#deps.containers.get(id);
    if (!isRunning(record.state)) return;
    const paths = instancePaths(this.#deps.instance).container(id);
    this.#live.of(id).startedMonotonic = this.#deps.clock.monotonic() - runtimeOf(this.#deps, record).ageOf(record.state.process);
    runtimeOf(this.#deps, record).watch(id, record.state.process, paths.persist, this.#listenerOf(id, record.state.oomKilled));
  }

  /** @param wasToldOom  by the daemon before this one */
  #listenerOf(id: string, wasToldOom = false): RunListener {
    let isKnown = wasToldOom;
    return {
      onOom: () => {
        if (isKnown) isKnown = false;
        else this.#onOom(id);
      },
      onExit: (exit) => void this.#onExit(id, exit),
    };
  }

  #onOom(id: string): void {
    const { containers, events } = this.#deps;
    const record = containers.peek(id);
    if (!record || !isRunning(record.state)) return;
    if (!record.state.oomKilled) void containers.change(id, { type: "oom" });
    events.emit("container", "oom", id, containerAttributes(record));
  }

  /**
   * The process has ended. Network and record first, beside the reading of the output; then those who wait; what is left on the host goes
   * afterwards. An AutoRemove container costs one commit: its removal.
   */
  async #onExit(id: string, exit: RuntimeExit): Promise<void> {
    const { containers, logs, clock, log } = this.#deps;
    const live = this.#live.of(id);
    try {
      const record = containers.get(id);
      logs.releaseValve(id);
      const drained = logs.finish(id);
      const ranMilliseconds = clock.monotonic() - live.startedMonotonic;
      const removes = record.hostConfig.AutoRemove === true && !live.keepAfterExit;
      const { exitCode, oomKilled, error = "" } = exit;
      const recorded = removes
        ? this.#removals.forget(record)
        : containers.change(id, { type: "exit", exitCode, oomKilled, error, at: now(this.#deps) });
      if (removes) recorded.catch((failure: unknown) => log.error("removal failed", { container: id, error: messageOf(failure) }));
      live.stdin = undefined;
      // Whoever hears of the end finds network and volumes given back, as with Docker.
      const released = this.#release(record).finally(() => this.#announceExit(record, exit, ranMilliseconds));
      // Those who wait are answered before the processor is given to what nobody waits for.
      live.teardown = Promise.all([drained, released, Promise.race([recorded, sleep(answerMilliseconds)])])
        .then(() => (removes && hasAnonymousVolumes(record) ? undefined : sleep(clientEndMilliseconds)))
        .then(() => this.#teardown(record))
        .then(() => this.#spares.prepare(0))
        .catch((failure: unknown) => log.error("teardown failed", { container: id, error: messageOf(failure) }));
      // A removal that does not get to the disk is made up for by the next start of the daemon: nobody waits for it here.
      await Promise.all([drained, released, ...(removes ? [] : [recorded])]);
      const result = { exitCode, ...(exit.error !== undefined && { error: exit.error }) };
      if (removes) await this.#removals.finish(record, { volumes: true }, result, recorded);
      else this.#afterExit(id, live, result, ranMilliseconds);
    } catch (error) {
      // A removal that won the race has done the rest.
      if (!isKind(error, "not_found")) log.error("handling of an exit failed", { container: id, error: messageOf(error) });
    } finally {
      live.ended.resolve(); // those who stop or kill it must not wait for ever
    }
  }

  #announceExit(record: ContainerRecord, exit: RuntimeExit, ranMilliseconds: number): void {
    const { events } = this.#deps;
    const attributes = containerAttributes(record);
    const execDuration = String(Math.floor(ranMilliseconds / 1000));
    events.emit("container", "die", record.id, { ...attributes, execDuration, exitCode: String(exit.exitCode) });
  }

  #afterExit(id: string, live: LiveContainer, result: WaitResult, ranMilliseconds: number): void {
    const record = this.#deps.containers.get(id);
    const decision = decideRestart(record.hostConfig.RestartPolicy, {
      exitCode: result.exitCode,
      stoppedByUser: live.stopRequested || record.stoppedByUser || this.#closing,
      endedUnhealthy: live.endedUnhealthy,
      restartCount: record.restartCount,
      ranMilliseconds,
      previousDelay: live.restartDelayMilliseconds,
    });
    if (decision.restart) this.#scheduleRestart(id, live, decision.delayMilliseconds);
    this.#waiters.ended(id, result);
  }

  /** Ports, addresses and volumes are free afterwards. */
  async #release(record: ContainerRecord): Promise<void> {
    const { networkDriver, networks, volumes } = this.#deps;
    if (record.sandbox) {
      await networkDriver.removeSandbox(record.id);
      for (const endpoint of record.sandbox.endpoints) networks.announce("disconnect", endpoint.networkId, record.id);
    }
    for (const mount of record.mounts)
      if (mount.type === "volume" && mount.name !== undefined) await volumes.unmount(mount.name, record.id);
  }

  #scheduleRestart(id: string, live: LiveContainer, delayMilliseconds: number): void {
    const { containers, log } = this.#deps;
    live.restartDelayMilliseconds = delayMilliseconds;
    void containers.change(id, { type: "restarting" });
    live.restartTimer = setTimeout(() => {
      const restart = this.#locks.run(id, async () => {
        const record = containers.peek(id);
        if (record?.state.status !== "restarting" || this.#closing) return; // stopped or removed meanwhile
        await containers.note(id, { restartCount: record.restartCount + 1 });
        await this.#startLocked(id, true);
      });
      restart.catch((error: unknown) => log.warn("restart failed", { container: id, error: messageOf(error) }));
    }, delayMilliseconds);
  }

  /** Off the user's path: names derive from the id, so a crash in between is repaired at the next start of the daemon. */
  async #teardown(record: ContainerRecord): Promise<void> {
    const deps = this.#deps;
    const { id } = record;
    const paths = instancePaths(deps.instance).container(id);
    await runtimeOf(deps, record).remove(id, paths.bundle, cgroupsPath(deps, record));
    if (record.idMap) await removeRootFolder(deps, id);
    await deps.snapshots.leave(paths.rootfs);
    if (record.sandbox && deps.containers.peek(id)) {
      const { sandbox: _gone, ...rest } = deps.containers.get(id);
      await deps.store.observe((transaction) => transaction.put("container", id, rest));
    }
  }

  /**
   * Sends the stop signal, and after the timeout kills.
   * @param timeoutSeconds  0 kills at once, -1 waits for ever; undefined: the container's own, else the daemon's
   * @param byDaemon  nobody asked for it: the restart policy starts it with the next daemon
   * @param shownName  what the caller has called it
   * @throws {EngineError} `not_modified` when it does not run
   */
  async stop(
    id: string,
    options: { readonly signal?: string; readonly timeoutSeconds?: number; readonly byDaemon?: boolean },
    shownName = id,
  ): Promise<void> {
    const { containers } = this.#deps;
    const live = this.#live.of(id);
    const record = containers.get(id);
    const isUp = isRunning(record.state);
    // A signal that does not exist must not count as a wish to stop.
    const signal = isUp ? parseSignalFor("stop", shownName, options.signal || record.config.StopSignal || "SIGTERM") : 0;
    live.stopRequested = true;
    if (record.state.status === "restarting") {
      clearTimeout(live.restartTimer);
      await containers.change(id, { type: "restart-cancelled" }, { stoppedByUser: true });
      this.#waiters.ended(id, { exitCode: record.state.exitCode });
      return;
    }
    if (!isUp) throw new EngineError("not_modified", `container ${id} is already stopped`);
    await containers.note(id, options.byDaemon ? { interrupted: true } : { stoppedByUser: true });
    const timeout = options.timeoutSeconds ?? record.config.StopTimeout ?? this.#deps.settings.stopTimeoutSeconds;
    await this.#endProcess(id, signal, timeout);
    this.#deps.events.emit("container", "stop", id, containerAttributes(record));
  }

  /** Ends a container that its check has found unhealthy: the restart policy starts it again. */
  async restartUnhealthy(id: string): Promise<void> {
    const record = this.#deps.containers.get(id);
    const live = this.#live.of(id);
    if (!isRunning(record.state) || live.stopRequested) return;
    live.endedUnhealthy = true;
    await this.#deps.containers.note(id, { interrupted: true });
    const timeout = record.config.StopTimeout ?? this.#deps.settings.stopTimeoutSeconds;
    await this.#endProcess(id, parseSignal(record.config.StopSignal || "SIGTERM"), timeout);
  }

  /** Ends a container that is frozen, as a stop does: it does not run on for a moment. */
  async endFrozen(id: string): Promise<void> {
    const record = this.#deps.containers.get(id);
    if (!isRunning(record.state)) return;
    const live = this.#live.of(id);
    const { promise: ended } = live.ended;
    live.stopRequested = true;
    live.killed = true;
    await this.#deps.containers.note(id, { stoppedByUser: true });
    this.#deps.logs.releaseValve(id);
    const runtime = runtimeOf(this.#deps, record);
    await runtime.signal(id, record.state.process, SIGKILL, true);
    await runtime
      .resume(id)
      .catch((error: unknown) => this.#deps.log.debug("resume for an end failed", { container: id, error: messageOf(error) }));
    await ended;
  }

  /** Runs `body` while the container is not being started. */
  exclusively<T>(id: string, body: () => Promise<T>): Promise<T> {
    return this.#locks.run(id, body);
  }

  /** The restart that is waited for does not come: its policy does not want it any more. */
  async cancelRestart(id: string): Promise<void> {
    if (this.#deps.containers.get(id).state.status !== "restarting") return;
    clearTimeout(this.#live.of(id).restartTimer);
    await this.#deps.containers.change(id, { type: "restart-cancelled" });
  }

  /** From now on nothing is started again. */
  beginShutdown(): void {
    this.#closing = true;
  }

  get isClosing(): boolean {
    return this.#closing;
  }

  async #endProcess(id: string, signal: number, timeoutSeconds: number): Promise<void> {
    // As it is now: the run that was to be stopped may have ended, and another may have begun.
    const record = this.#deps.containers.peek(id);
    if (!record || !isRunning(record.state)) return;
    const { process } = record.state;
    const runtime = runtimeOf(this.#deps, record);
    const live = this.#live.of(id);
    const { promise: ended } = live.ended;
    this.#deps.logs.releaseValve(id);
    if (timeoutSeconds !== 0) {
      this.#emitKill(record, signal);
      await runtime.signal(id, process, signal);
      if (record.state.status === "paused") await runtime.resume(id);
      const patience = timeoutSeconds < 0 ? ended : Promise.race([ended, sleep(timeoutSeconds * 1000)]);
      await patience;
    }
    if (isRunning(this.#deps.containers.peek(id)?.state ?? record.state) && this.#deps.containers.peek(id)) {
      this.#emitKill(record, SIGKILL);
      await this.#killAll(id, record, process);
    }
    await ended;
  }

  /** What is frozen dies only when it is thawed, whether it was paused before the signal or is at this moment (`ContainerService.pause`). */
  async #killAll(id: string, record: ContainerRecord, process: RuntimeProcess): Promise<void> {
    const runtime = runtimeOf(this.#deps, record);
    this.#live.of(id).killed = true;
    await runtime.signal(id, process, SIGKILL, true);
    if (this.#deps.containers.peek(id)?.state.status !== "paused") return;
    await runtime
      .resume(id)
      .catch((error: unknown) => this.#deps.log.debug("resume for a kill failed", { container: id, error: messageOf(error) }));
  }

  #emitKill(record: ContainerRecord, signal: number): void {
    this.#deps.events.emit("container", "kill", record.id, { ...containerAttributes(record), signal: String(signal) });
  }

  /** @throws {EngineError} `conflict` with Docker's text when it does not run */
  async kill(id: string, signalText: string, shownName = id): Promise<void> {
    const record = this.#deps.containers.get(id);
    const signal = parseSignalFor("kill", shownName, signalText || "SIGKILL");
    if (!isRunning(record.state)) throw new EngineError("conflict", `cannot kill container: ${shownName}: container ${id} is not running`);
    const live = this.#live.of(id);
    const runtime = runtimeOf(this.#deps, record);
    const stopSignal = parseSignal(record.config.StopSignal || "SIGTERM");
    if (signal === SIGKILL || signal === stopSignal) {
      live.stopRequested = true;
      await this.#deps.containers.note(id, { stoppedByUser: true });
    }
    this.#deps.logs.releaseValve(id);
    const { promise: ended } = live.ended;
    this.#emitKill(record, signal);
    if (signal !== SIGKILL) return runtime.signal(id, record.state.process, signal);
    await this.#killAll(id, record, record.state.process);
    await Promise.race([ended, sleep(killWaitMilliseconds)]);
  }

  async restart(id: string, options: { readonly signal?: string; readonly timeoutSeconds?: number }): Promise<void> {
    const live = this.#live.of(id);
    live.keepAfterExit = true;
    try {
      await this.stop(id, options).catch((error: unknown) => {
        if (!isKind(error, "not_modified")) throw error;
      });
      await this.#locks.run(id, () => this.#startLocked(id, false));
    } finally {
      live.keepAfterExit = false;
    }
    this.#deps.events.emit("container", "restart", id, containerAttributes(this.#deps.containers.get(id)));
  }

  /** @throws {EngineError} `conflict` with Docker's text while it runs, unless forced */
  async remove(id: string, options: { readonly force: boolean; readonly volumes: boolean }, shownName = id): Promise<void> {
    // By its restart policy, or by somebody else: it can be killed when it runs.
    if (options.force && this.#deps.containers.get(id).state.status === "starting") await this.#locks.run(id, () => Promise.resolve());
    const record = this.#deps.containers.peek(id);
    if (!record) return;
    if (isRunning(record.state) || record.state.status === "restarting") {
      if (!options.force) {
        const advice =
          record.state.status === "paused"
            ? "container is paused and must be unpaused first"
            : `container is ${record.state.status}: stop the container before removing or force remove`;
        throw new EngineError("conflict", `cannot remove container ${JSON.stringify(shownName)}: ${advice}`);
      }
      const live = this.#live.of(id);
      live.stopRequested = true;
      clearTimeout(live.restartTimer);
      if (isRunning(record.state)) await this.kill(id, "SIGKILL");
      else await this.#deps.containers.change(id, { type: "restart-cancelled" });
      await live.ended.promise.catch(() => undefined);
      if (!this.#deps.containers.peek(id)) return; // AutoRemove was faster
    }
    await this.#removals.remove(id, options);
  }

  /** Waits until everything that was begun off the user's path is done. */
  async settle(): Promise<void> {
    this.beginShutdown();
    await Promise.allSettled([this.#removals.settled(), this.#spares.close(), ...[...this.#live.all()].map((live) => live.dropSpare())]);
  }
}

/** A program that ends at once is over by then, and its end makes the next spare monitor. */
const afterStartMilliseconds = 50;

/** What it takes a client to end when it has its answer: the teardown is no hurry, and would be on the other processor. */
const clientEndMilliseconds = 6;

/** How long the teardown waits for the record of an end; a full disk may keep it waiting for ever. */
const answerMilliseconds = 20;

/** How long `kill` waits for the end before it answers; the end comes when it comes. */
const killWaitMilliseconds = 10_000;
