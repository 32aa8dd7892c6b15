import { deferred, type Deferred } from "#lib/async.ts";
import { EngineError, messageOf } from "#lib/errors.ts";
import type { Logger } from "#lib/log.ts";
import { startWorker } from "#os/process/self.ts";
import type { ContainerRecord } from "#types/record/container.ts";
import type { EventRecord } from "#types/record/event.ts";
import type { ImageRecord, ImageReferenceRecord } from "#types/record/image.ts";
import type { NetworkRecord } from "#types/record/network.ts";
import type { ResourceRecord } from "#types/record/resource.ts";
import type { VolumeRecord } from "#types/record/volume.ts";
import type { EventRow, RowChange, StoreReply, StoreRequest } from "./protocol.ts";
import { tables, type TableName } from "./schema.ts";

/** What each table holds. */
export interface TableRecords {
  setting: unknown;
  container: ContainerRecord;
  network: NetworkRecord;
  volume: VolumeRecord;
  image: ImageRecord;
  image_reference: ImageReferenceRecord;
  resource: ResourceRecord;
}

/** Rows of one table as they stand in memory: the truth for readers, ahead of the disk by the commits under way. */
export interface Table<R> {
  get(key: string): R | undefined;
  has(key: string): boolean;
  values(): IterableIterator<R>;
  entries(): IterableIterator<[string, R]>;
  readonly size: number;
}

/** Changes of one transaction; all of them reach the disk, or none. */
export interface Transaction {
  put<T extends TableName>(table: T, key: string, record: TableRecords[T]): void;
  remove(table: TableName, key: string): void;
}

/** What a change outlives once it is answered: the daemon's end alone, or the machine's too. */
export type Survival = "daemon" | "power-loss";

/**
 * Every record of the engine. Reads are from memory. A change is visible at once (so that two requests cannot take one name) and the
 * returned promise settles when it is on disk; one that need only survive the daemon is with the kernel then, and its sync comes later.
 */
export class MetadataStore {
  readonly #worker: Worker;
  readonly #rows = new Map<TableName, Map<string, unknown>>(tables.map((table) => [table, new Map<string, unknown>()]));
  readonly #waiting = new Map<number, { readonly done: Deferred<void>; readonly undo: () => void }>();
  readonly #asking = new Map<number, Deferred<readonly EventRow[]>>();
  readonly #log: Logger;
  #sequence = 0;
  #revision = 0;
  #closed: Deferred<void> | undefined;

  private constructor(worker: Worker, log: Logger) {
    this.#worker = worker;
    this.#log = log;
  }

  /**
   * Opens the database, runs its migrations and loads all records. Rows that cannot be read are named in the log and left out; they stay
   * on disk.
   * @throws {EngineError} `internal` naming the file when it cannot be opened
   */
  static async open(path: string, log: Logger): Promise<MetadataStore> {
    const store = new MetadataStore(startWorker("store"), log);
    const opened = deferred<void>();
    store.#worker.onmessage = (event: MessageEvent<StoreReply>) => {
      if (event.data.type === "opened") {
        for (const row of event.data.rows) store.#load(row);
        opened.resolve();
      } else if (event.data.type === "refused") {
        opened.reject(new EngineError("internal", `cannot open the database ${path}: ${event.data.message}`));
      } else {
        store.#settle(event.data);
      }
    };
    store.#worker.onerror = (event) => {
      opened.reject(new EngineError("internal", `store worker failed: ${event.message}`));
      for (const sequence of store.#waiting.keys()) store.#fail(sequence, `store worker failed: ${event.message}`, false);
      for (const asked of store.#asking.values()) asked.reject(new EngineError("internal", `store worker failed: ${event.message}`));
    };
    store.#post({ type: "open", path });
    try {
      await opened.promise;
    } catch (error) {
      store.#worker.terminate();
      throw error;
    }
    return store;
  }

  /** Another number whenever a record in memory is another. */
  get revision(): number {
    return this.#revision;
  }

  table<T extends TableName>(name: T): Table<TableRecords[T]> {
    // Rows of a table are only written through `put`, whose type ties them to it.
    return this.#tableOf(name) as Map<string, TableRecords[T]>;
  }

  /**
   * What somebody asked for: answered after the sync; when the disk refuses it, memory goes back to what it was.
   * @throws {EngineError} `internal` with "no space left on device" where that is the reason
   */
  update(change: (transaction: Transaction) => void, survives: Survival = "power-loss"): Promise<void> {
    return this.#commit(change, "required", survives);
  }

  /** What has happened (an exit, a removal): kept and written later when the disk is full. */
  observe(change: (transaction: Transaction) => void, survives: Survival = "power-loss"): Promise<void> {
    return this.#commit(change, "observed", survives);
  }

  /** What has happened, for {@link events} alone: the oldest give way to new ones. Resolves when it is on disk. */
  appendEvents(events: readonly EventRecord[]): Promise<void> {
    const changes = events.map((event) => ({ table: "event" as const, key: eventKey(event.timeNano), body: JSON.stringify(event) }));
    return this.#write(changes, "observed", "power-loss", () => {});
  }

  /** Events that are on disk, from `sinceNano` on, oldest first, read piece by piece. */
  async *events(sinceNano: bigint): AsyncGenerator<EventRecord, void> {
    let after = eventKey(String(sinceNano > 0n ? sinceNano - 1n : 0n));
    for (;;) {
      const rows = await this.#ask(after);
      for (const row of rows) yield* this.#parse({ table: "event", ...row }) as [EventRecord] | [];
      const last = rows.at(-1);
      if (!last || rows.length < eventsAtOnce) return;
      after = last.key;
    }
  }

  #ask(after: string): Promise<readonly EventRow[]> {
    const sequence = ++this.#sequence;
    const asked = deferred<readonly EventRow[]>();
    this.#asking.set(sequence, asked);
    this.#post({ type: "events", sequence, after, limit: eventsAtOnce });
    return asked.promise;
  }

  /** Writes what is queued and closes the database. */
  async close(): Promise<void> {
    this.#closed = deferred<void>();
    this.#post({ type: "close" });
    await this.#closed.promise;
    this.#worker.terminate();
  }

  #commit(change: (transaction: Transaction) => void, durability: "required" | "observed", survives: Survival): Promise<void> {
    const changes: (RowChange & { readonly table: TableName })[] = [];
    const before: { readonly table: TableName; readonly key: string; readonly record: unknown }[] = [];
    const remember = (table: TableName, key: string): void => {
      before.push({ table, key, record: this.#tableOf(table).get(key) });
    };
    change({
      put: (table, key, record) => {
        remember(table, key);
        this.#tableOf(table).set(key, record);
        changes.push({ table, key, body: JSON.stringify(record) });
      },
      remove: (table, key) => {
        remember(table, key);
        this.#tableOf(table).delete(key);
        changes.push({ table, key, body: null });
      },
    });
    this.#revision++;
    return this.#write(changes, durability, survives, () => this.#restore(before, changes));
  }

  #write(changes: readonly RowChange[], durability: "required" | "observed", survives: Survival, undo: () => void): Promise<void> {
    if (changes.length === 0) return Promise.resolve();
    const sequence = ++this.#sequence;
    const done = deferred<void>();
    this.#waiting.set(sequence, { done, undo });
    this.#post({ type: "commit", sequence, changes, durability, synced: survives === "power-loss" });
    return done.promise;
  }

  /** Puts back rows that nobody has changed since. */
  #restore(before: readonly { table: TableName; key: string; record: unknown }[], changes: readonly RowChange[]): void {
    this.#revision++;
    before.forEach(({ table, key, record }, index) => {
      const now = this.#tableOf(table).get(key);
      const written = changes[index]?.body ?? null;
      if ((now === undefined ? null : JSON.stringify(now)) !== written) return;
      if (record === undefined) this.#tableOf(table).delete(key);
      else this.#tableOf(table).set(key, record);
    });
  }

  #settle(reply: StoreReply): void {
    if (reply.type === "committed") {
      for (const sequence of reply.sequences) {
        this.#waiting.get(sequence)?.done.resolve();
        this.#waiting.delete(sequence);
      }
    } else if (reply.type === "failed") {
      this.#fail(reply.sequence, reply.message, reply.diskFull);
    } else if (reply.type === "events") {
      this.#asking.get(reply.sequence)?.resolve(reply.rows);
      this.#asking.delete(reply.sequence);
    } else if (reply.type === "closed") {
      this.#closed?.resolve();
    }
  }

  #fail(sequence: number, message: string, diskFull: boolean): void {
    const failure = new EngineError("internal", diskFull ? "write metadata: no space left on device" : `metadata: ${message}`);
    this.#asking.get(sequence)?.reject(failure);
    this.#asking.delete(sequence);
    const waiter = this.#waiting.get(sequence);
    this.#waiting.delete(sequence);
    waiter?.undo();
    waiter?.done.reject(failure);
  }

  #load({ table, key, body }: { readonly table: TableName; readonly key: string; readonly body: string }): void {
    for (const record of this.#parse({ table, key, body })) this.#tableOf(table).set(key, record);
  }

  /** None when it is damaged. */
  #parse({ table, key, body }: { readonly table: string; readonly key: string; readonly body: string }): [unknown] | [] {
    try {
      return [JSON.parse(body)];
    } catch (error) {
      this.#log.error("damaged record left out", { table, key, error: messageOf(error) });
      return [];
    }
  }

  #tableOf(name: TableName): Map<string, unknown> {
    const rows = this.#rows.get(name);
    if (!rows) throw new Error(`no table ${name}`);
    return rows;
  }

  #post(request: StoreRequest): void {
    this.#worker.postMessage(request);
  }
}

const eventsAtOnce = 1000;

/** Sorts as the time does. */
function eventKey(timeNano: string): string {
  return timeNano.padStart(20, "0");
}
