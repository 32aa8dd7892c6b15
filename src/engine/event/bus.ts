import { systemClock, type Clock } from "#lib/clock.ts";
import type { MetadataStore } from "#drivers/metadata/store.ts";
import type { EventRecord } from "#types/record/event.ts";

export type EventListener = (event: EventRecord) => void;

/** Newest events kept for `events --since`, on disk as well. */
const keptEvents = 10_000;
const trimStep = 500;
const writeDelayMilliseconds = 100;

/** Everything that happens, in order. Listeners get each event once; the past is kept across restarts. */
export class EventBus {
  readonly #store: MetadataStore;
  readonly #clock: Clock;
  readonly #listeners = new Set<EventListener>();
  #last = 0n;
  #unwritten: EventRecord[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(store: MetadataStore, clock: Clock = systemClock) {
    this.#store = store;
    this.#clock = clock;
  }

  emit(type: string, action: string, actorId: string, attributes: Readonly<Record<string, string>>): void {
    let time = this.#clock.nowNano();
    if (time <= this.#last) time = this.#last + 1n; // order is kept over steps of the clock
    this.#last = time;
    const event: EventRecord = { type, action, actorId, attributes, scope: "local", timeNano: time.toString() };
    this.#remember(event);
    for (const listener of this.#listeners) listener(event);
  }

  /** On disk with the next ones: a sync for each would make those wait who ask for something. */
  #remember(event: EventRecord): void {
    this.#unwritten.push(event);
    this.#timer ??= setTimeout(() => void this.flush(), writeDelayMilliseconds);
  }

  /** Writes what has happened so far. */
  flush(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const events = this.#unwritten.splice(0);
    return this.#store.observe((transaction) => {
      for (const event of events) transaction.put("event", keyOf(event), event);
      this.#trim(transaction);
    });
  }

  /** Events from the past, oldest first. */
  past(sinceNano: bigint, untilNano: bigint | undefined): EventRecord[] {
    return [...this.#store.table("event").values(), ...this.#unwritten].filter((event) => {
      const time = BigInt(event.timeNano);
      return time >= sinceNano && (untilNano === undefined || time <= untilNano);
    });
  }

  /** Calls `listener` for each event from now on; the returned function ends it. */
  listen(listener: EventListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  get listeners(): number {
    return this.#listeners.size;
  }

  /** In steps, so that not every event pays for a removal. Keys are in order of time: the table keeps insertion order. */
  #trim(transaction: { remove(table: "event", key: string): void }): void {
    const table = this.#store.table("event");
    if (table.size < keptEvents + trimStep) return;
    let surplus = table.size - keptEvents;
    for (const [key] of table.entries()) {
      if (surplus-- <= 0) break;
      transaction.remove("event", key);
    }
  }
}

/** Sorts as the time does. */
function keyOf(event: EventRecord): string {
  return event.timeNano.padStart(20, "0");
}
