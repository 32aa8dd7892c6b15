import type { Client } from "#client/client.ts";
import type { ContainerStats } from "#client/shapes.ts";
import { messageOf } from "#lib/errors.ts";
import type { StatsEntry } from "./stats-row.ts";

interface Watched {
  entry: StatsEntry;
  updatedAt: number;
  error: string | undefined;
  hasEnded: boolean;
  readonly abort: AbortController;
  /** The first answer, or the lack of one, is there. */
  readonly first: Promise<void>;
}

/** Longer without news: what was read last is not shown any more. */
const staleMilliseconds = 2000;

/** What containers use, as far as it is known; each is read on a connection of its own. */
export class StatsTable {
  readonly #client: Client;
  readonly #streams: boolean;
  readonly #watched = new Map<string, Watched>();

  /** @param streams  false: one answer for each container */
  constructor(client: Client, streams: boolean) {
    this.#client = client;
    this.#streams = streams;
  }

  add(container: string): void {
    if (this.#watched.has(container)) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const abort = new AbortController();
    const entry: StatsEntry = { container, stats: undefined, name: "", id: "" };
    const watched: Watched = { entry, updatedAt: 0, error: undefined, hasEnded: false, abort, first: promise };
    this.#watched.set(container, watched);
    void this.#read(container, watched, resolve);
  }

  remove(container: string): void {
    this.#watched.get(container)?.abort.abort();
    this.#watched.delete(container);
  }

  async #read(container: string, watched: Watched, begun: () => void): Promise<void> {
    try {
      for await (const stats of this.#client.containers.stats(container, { streams: this.#streams }, watched.abort.signal)) {
        this.#take(watched, stats);
        begun();
      }
    } catch (error) {
      watched.error = messageOf(error);
    }
    watched.hasEnded = true;
    begun();
  }

  #take(watched: Watched, stats: ContainerStats): void {
    const { container } = watched.entry;
    watched.entry = { container, stats, name: stats.name ?? "", id: stats.id ?? "" };
    watched.updatedAt = performance.now();
  }

  /** No container will answer any more. */
  get isOver(): boolean {
    return [...this.#watched.values()].every(({ hasEnded }) => hasEnded);
  }

  /** Each container has answered, or will not. @returns what was said of those that will not */
  async settled(): Promise<string[]> {
    const all = [...this.#watched.values()];
    await Promise.all(all.map(({ first }) => first));
    return all.flatMap(({ error }) => (error === undefined ? [] : [error]));
  }

  /** In the order in which they were added; old news only where there will be no other. */
  entries(): StatsEntry[] {
    const now = performance.now();
    return [...this.#watched.values()].map(({ entry, updatedAt, hasEnded }) => {
      const isStale = this.#streams && (hasEnded || now - updatedAt > staleMilliseconds);
      return isStale ? { ...entry, stats: undefined } : entry;
    });
  }
}
