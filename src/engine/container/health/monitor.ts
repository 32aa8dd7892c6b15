import { sleep } from "#lib/async.ts";
import { formatTimeNano, type Clock } from "#lib/clock.ts";
import { goDuration } from "#lib/duration.ts";
import { messageOf } from "#lib/errors.ts";
import type { Logger } from "#lib/log.ts";
import type { EventRecord } from "#types/record/event.ts";
import type { ContainerHealth, ContainerRecord, HealthResult } from "#types/record/container.ts";
import type { EventBus } from "../../event/bus.ts";
import { containerAttributes } from "../create.ts";
import type { ContainerRegistry } from "../registry.ts";
import { restartsWhenUnhealthy } from "../restart-policy.ts";
import { isRunning } from "../state.ts";
import { healthCheckOf, type HealthCheck } from "./check.ts";
import { applyResult, hasTurnedUnhealthy, healthAtStart, healthUnchecked, nextDelay } from "./state.ts";

/** Runs one check in a container, to its end or the end of its time. Rejects when it could not be run. */
export type RunCheck = (
  id: string,
  command: readonly string[],
  limits: { readonly timeoutMilliseconds: number; readonly outputBytes: number },
  signal: AbortSignal,
) => Promise<{ readonly exitCode: number; readonly output: string; readonly timedOut: boolean }>;

export interface HealthDependencies {
  readonly containers: Pick<ContainerRegistry, "all" | "peek" | "note">;
  readonly events: Pick<EventBus, "emit" | "listen">;
  readonly clock: Pick<Clock, "nowNano">;
  readonly log: Logger;
  /** Ends an unhealthy container, so that its policy starts it again. */
  restartUnhealthy(id: string): Promise<void>;
  /** Milliseconds since its first process was started. */
  ageOf(record: ContainerRecord): number;
}

const outputLimitBytes = 4096;

/** The checks of one run of a container, from its start or the end of a pause to its end or the next pause. */
interface Watch {
  readonly abort: AbortController;
  readonly done: Promise<void>;
}

/**
 * Checks the health of containers while they run. What it finds is in memory, and on disk with each change of status; it hears of starts,
 * ends and pauses as everybody does, by events, so that a container without a check costs nothing.
 */
export class HealthMonitor {
  readonly #deps: HealthDependencies;
  readonly #health = new Map<string, ContainerHealth>();
  readonly #watches = new Map<string, Watch>();
  #run: RunCheck | undefined;
  #stopListening: () => void = () => undefined;

  constructor(deps: HealthDependencies) {
    this.#deps = deps;
  }

  /** Undefined for one without checks, and before its first start. */
  of(record: ContainerRecord): ContainerHealth | undefined {
    return this.#health.get(record.id) ?? record.health;
  }

  /** Takes up what runs already, where it stands, and what is started from now on. */
  begin(run: RunCheck): void {
    this.#run = run;
    this.#stopListening = this.#deps.events.listen((event) => this.#onEvent(event));
    for (const record of this.#deps.containers.all()) {
      const check = healthCheckOf(record.config);
      if (!check || !isRunning(record.state)) continue;
      this.#health.set(record.id, record.health ?? healthAtStart(undefined, 0));
      // Not all at once, which would happen again with every interval.
      if (record.state.status === "running") this.#watch(record.id, check, Math.random());
    }
  }

  /** Ends the checks and writes down what they have found. */
  async close(): Promise<void> {
    this.#stopListening();
    const ended = [...this.#watches.keys()].map((id) => this.#endWatch(id));
    await Promise.race([Promise.allSettled(ended), sleep(closeLimitMilliseconds)]);
    await Promise.allSettled([...this.#health.keys()].map((id) => this.#write(id)));
  }

  #onEvent({ type, action, actorId: id }: EventRecord): void {
    if (type !== "container") return;
    switch (action) {
      case "start":
        return this.#onStart(id);
      case "unpause":
        return this.#onUnpause(id);
      case "pause":
        return this.#onPause(id);
      case "die":
        return this.#onEnd(id);
      case "destroy":
        void this.#endWatch(id);
        this.#health.delete(id);
    }
  }

  #onStart(id: string): void {
    const record = this.#deps.containers.peek(id);
    const check = record && healthCheckOf(record.config);
    if (!check) return;
    void this.#endWatch(id);
    // A start that somebody asked for begins to count anew.
    const restarts = record.restartCount > 0 ? (this.of(record)?.restarts ?? 0) : 0;
    this.#health.set(id, healthAtStart(this.of(record), restarts));
    this.#writeSoon(id);
    this.#watch(id, check);
  }

  #onPause(id: string): void {
    const health = this.#health.get(id);
    if (!health) return;
    void this.#endWatch(id);
    this.#health.set(id, healthUnchecked(health));
    this.#writeSoon(id);
  }

  #onUnpause(id: string): void {
    const record = this.#deps.containers.peek(id);
    const check = record && healthCheckOf(record.config);
    if (!check) return;
    void this.#endWatch(id);
    this.#watch(id, check);
  }

  #onEnd(id: string): void {
    // As after a pause; what is written now is what is known from now on.
    this.#onPause(id);
    this.#health.delete(id);
  }

  /** @param firstPart  of the usual delay, before the first check */
  #watch(id: string, check: HealthCheck, firstPart = 1): void {
    const abort = new AbortController();
    const done = this.#keepChecking(id, check, firstPart, abort.signal).catch((error: unknown) =>
      this.#deps.log.error("health checks ended", { container: id, error: messageOf(error) }),
    );
    this.#watches.set(id, { abort, done });
  }

  /** A check that is running is killed; what it would have said is not counted. */
  #endWatch(id: string): Promise<void> {
    const watch = this.#watches.get(id);
    this.#watches.delete(id);
    watch?.abort.abort();
    return watch?.done ?? Promise.resolve();
  }

  async #keepChecking(id: string, check: HealthCheck, firstPart: number, signal: AbortSignal): Promise<void> {
    for (let part = firstPart; ; part = 1) {
      const before = this.#known(id);
      if (!before) return;
      await sleep(part * nextDelay(before.health, check, this.#deps.ageOf(before.record)), signal);
      const now = signal.aborted ? undefined : this.#known(id);
      if (!now || now.record.state.status !== "running") return;
      const ageMilliseconds = this.#deps.ageOf(now.record);
      const result = await this.#check(id, check, signal);
      if (signal.aborted) return;
      this.#take(id, check, result, ageMilliseconds);
    }
  }

  #known(id: string): { readonly record: ContainerRecord; readonly health: ContainerHealth } | undefined {
    const record = this.#deps.containers.peek(id);
    const health = this.#health.get(id);
    return record && health && { record, health };
  }

  async #check(id: string, check: HealthCheck, signal: AbortSignal): Promise<HealthResult> {
    const startedAt = this.#now();
    const { exitCode, output } = await this.#outcome(id, check, signal);
    return { startedAt, endedAt: this.#now(), exitCode, output };
  }

  async #outcome(id: string, check: HealthCheck, signal: AbortSignal): Promise<Pick<HealthResult, "exitCode" | "output">> {
    const { command, timeoutMilliseconds } = check;
    try {
      if (!this.#run) throw new Error("health checks have not begun");
      const { exitCode, output, timedOut } = await this.#run(id, command, { timeoutMilliseconds, outputBytes: outputLimitBytes }, signal);
      if (!timedOut) return { exitCode, output };
      const said = output === "" ? "" : `: ${output}`;
      return { exitCode: -1, output: `Health check exceeded timeout (${goDuration(timeoutMilliseconds)})${said}` };
    } catch (error) {
      return { exitCode: -1, output: messageOf(error) };
    }
  }

  #take(id: string, check: HealthCheck, result: HealthResult, ageMilliseconds: number): void {
    const known = this.#known(id);
    if (!known || !isRunning(known.record.state)) return;
    const health = applyResult(known.health, result, check, ageMilliseconds);
    this.#health.set(id, health);
    if (health.status !== known.health.status) {
      this.#writeSoon(id);
      this.#deps.events.emit("container", `health_status: ${health.status}`, id, containerAttributes(known.record));
    }
    if (hasTurnedUnhealthy(known.health, health, check)) this.#heal(known.record, health);
  }

  #heal(record: ContainerRecord, health: ContainerHealth): void {
    const { id, hostConfig } = record;
    if (!restartsWhenUnhealthy(hostConfig.RestartPolicy, health.restarts)) return;
    this.#health.set(id, { ...health, restarts: health.restarts + 1 });
    this.#deps.log.info("unhealthy container is started again", { container: id, restartsInRow: health.restarts + 1 });
    this.#deps
      .restartUnhealthy(id)
      .catch((error: unknown) => this.#deps.log.warn("unhealthy container could not be ended", { container: id, error: messageOf(error) }));
  }

  /** On disk with the next commit; until then, a kill of the daemon loses what the checks find again by themselves. */
  #writeSoon(id: string): void {
    this.#write(id).catch((error: unknown) => this.#deps.log.warn("health not written", { container: id, error: messageOf(error) }));
  }

  async #write(id: string): Promise<void> {
    const health = this.#health.get(id);
    if (health && this.#deps.containers.peek(id)) await this.#deps.containers.note(id, { health });
  }

  #now(): string {
    return formatTimeNano(this.#deps.clock.nowNano());
  }
}

/** A check in a frozen container ends only when it is thawed. */
const closeLimitMilliseconds = 1000;
