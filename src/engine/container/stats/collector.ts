import type { ContainerUsage } from "#drivers/runtime/usage.ts";
import { deferred } from "#lib/async.ts";
import { formatTimeNano, type Clock } from "#lib/clock.ts";
import { messageOf } from "#lib/errors.ts";
import type { Logger } from "#lib/log.ts";
import type { ContainerRecord } from "#types/record/container.ts";
import type { ContainerRegistry } from "../registry.ts";
import { sharedOwner } from "../shared-mode.ts";
import { isRunning } from "../state.ts";

export type SampledUsage = ContainerUsage;

/** What a container used at one moment; `usage` is absent when it did not run. */
export interface Sample {
  readonly usage?: ContainerUsage;
  /** RFC 3339 with nanoseconds. */
  readonly readAt: string;
  /** Names of the interfaces that are its own; undefined where the network is the host's. */
  readonly interfaces?: readonly string[];
}

export interface StatsDependencies {
  readonly containers: Pick<ContainerRegistry, "get" | "peek" | "lookup">;
  readonly clock: Pick<Clock, "nowNano">;
  readonly log: Pick<Logger, "warn">;
  /** Undefined when it has just ended. */
  usageOf(record: ContainerRecord): ContainerUsage | undefined;
}

interface Reading {
  /** Less than an interval old. */
  last: Sample;
  readonly listeners: Set<(sample: Sample | undefined) => void>;
  readonly timer: ReturnType<typeof setInterval>;
}

/** Reads what containers use, once a second while somebody listens: one reader for each container, however many listen. */
export class StatsCollector {
  readonly #deps: StatsDependencies;
  readonly #intervalMilliseconds: number;
  readonly #readings = new Map<string, Reading>();

  constructor(deps: StatsDependencies, intervalMilliseconds = 1000) {
    this.#deps = deps;
    this.#intervalMilliseconds = intervalMilliseconds;
  }

  /** As it is now. @throws {EngineError} `not_found` */
  sample(id: string): Sample {
    const { containers, clock } = this.#deps;
    const record = containers.get(id);
    const readAt = formatTimeNano(clock.nowNano());
    if (!isRunning(record.state)) return { readAt };
    const usage = this.#deps.usageOf(record);
    const interfaces = this.#interfacesOf(record);
    return { readAt, ...(usage && { usage }), ...(interfaces && { interfaces }) };
  }

  /** The newest, then one a second; a slow reader misses some. Ends with the container's removal, or with the loop over it. */
  async *samples(id: string): AsyncGenerator<Sample, void> {
    const reading = this.#readings.get(id) ?? this.#begin(id);
    let newest: Sample | undefined = reading.last;
    let isOver = false;
    let wake = deferred<void>();
    const listener = (sample: Sample | undefined): void => {
      newest = sample;
      isOver = sample === undefined;
      wake.resolve();
    };
    reading.listeners.add(listener);
    try {
      for (;;) {
        if (newest) yield newest;
        if (isOver) return;
        newest = undefined;
        wake = deferred<void>();
        await wake.promise;
      }
    } finally {
      reading.listeners.delete(listener);
      if (reading.listeners.size === 0) this.#end(id, reading);
    }
  }

  #begin(id: string): Reading {
    const last = this.sample(id);
    const listeners: Reading["listeners"] = new Set();
    const timer = setInterval(() => {
      const sample = this.#next(id);
      if (sample) reading.last = sample;
      for (const listener of listeners) listener(sample);
    }, this.#intervalMilliseconds);
    const reading: Reading = { listeners, timer, last };
    this.#readings.set(id, reading);
    return reading;
  }

  /** Undefined when there will be no other. */
  #next(id: string): Sample | undefined {
    if (!this.#deps.containers.peek(id)) return undefined;
    try {
      return this.sample(id);
    } catch (error) {
      this.#deps.log.warn("usage of a container cannot be read", { container: id, error: messageOf(error) });
      return undefined;
    }
  }

  #end(id: string, reading: Reading): void {
    clearInterval(reading.timer);
    if (this.#readings.get(id) === reading) this.#readings.delete(id);
  }

  /** Of whoever owns the network. */
  #interfacesOf(record: ContainerRecord): readonly string[] | undefined {
    const mode = record.hostConfig.NetworkMode ?? "";
    const owner = sharedOwner(mode);
    const other = owner === undefined ? undefined : this.#deps.containers.lookup(owner);
    // A chain of owners ends: each has run before the one that has joined it.
    if (other && other.id !== record.id) return this.#interfacesOf(other);
    return mode === "host" ? undefined : (record.sandbox?.endpoints ?? []).map(({ interfaceName }) => interfaceName);
  }
}
