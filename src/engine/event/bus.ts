import { systemClock, type Clock } from "#lib/clock.ts";
import type { MetadataStore } from "#drivers/metadata/store.ts";
import type { EventRecord } from "#types/record/event.ts";

export type EventListener = (event: EventRecord) => void;

const writeDelayMilliseconds = 100;

/** Everything that happens, in order. Listeners get each event once; the past is kept across restarts. */
export class EventBus {
  readonly #store: MetadataStore;
  readonly #clock: Clock;
  readonly #listeners = new Set<EventListener>();
  #last = 0n;
  #unwritten: EventRecord[] = [];
  /** Given to the store, which on a full disk takes its time. */
  #writing: EventRecord[] = [];
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
  async flush(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const events = this.#unwritten.splice(0);
    this.#writing.push(...events);
    await this.#store.appendEvents(events);
    this.#writing = this.#writing.filter((event) => !events.includes(event));
  }

  /** Events up to this call, oldest first. One that is written meanwhile comes twice. */
  async *past(sinceNano: bigint): AsyncGenerator<EventRecord, void> {
    const pending = [...this.#writing, ...this.#unwritten].filter(({ timeNano }) => BigInt(timeNano) >= sinceNano);
    yield* this.#store.events(sinceNano);
    yield* pending;
  }

  /** Calls `listener` for each event from now on; the returned function ends it. */
  listen(listener: EventListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  get listeners(): number {
    return this.#listeners.size;
  }
}
