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
import type { RowChange, StoreReply, StoreRequest } from "./protocol.ts";
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
  event: EventRecord;
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
  #sequence = 0;
  #closed: Deferred<void> | undefined;

  private constructor(worker: Worker) {
    this.#worker = worker;
  }

  /**
   * Opens the database, runs its migrations and loads all records. Rows that cannot be read are named in the log and left out; they stay
   * on disk.
   * @throws {EngineError} `internal` naming the file when it cannot be opened
   */
  static async open(path: string, log: Logger): Promise<MetadataStore> {
    const store = new MetadataStore(startWorker("store"));
    const opened = deferred<void>();
    store.#worker.onmessage = (event: MessageEvent<StoreReply>) => {
      if (event.data.type === "opened") {
        for (const row of event.data.rows) store.#load(row, log);
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

  /** Writes what is queued and closes the database. */
  async close(): Promise<void> {
    this.#closed = deferred<void>();
    this.#post({ type: "close" });
    await this.#closed.promise;
    this.#worker.terminate();
  }

  #commit(change: (transaction: Transaction) => void, durability: "required" | "observed", survives: Survival): Promise<void> {
    const changes: RowChange[] = [];
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
    if (changes.length === 0) return Promise.resolve();
    const sequence = ++this.#sequence;
    const done = deferred<void>();
    this.#waiting.set(sequence, { done, undo: () => this.#restore(before, changes) });
    this.#post({ type: "commit", sequence, changes, durability, synced: survives === "power-loss" });
    return done.promise;
  }

  /** Puts back rows that nobody has changed since. */
  #restore(before: readonly { table: TableName; key: string; record: unknown }[], changes: readonly RowChange[]): void {
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
    } else if (reply.type === "closed") {
      this.#closed?.resolve();
    }
  }

  #fail(sequence: number, message: string, diskFull: boolean): void {
    const waiter = this.#waiting.get(sequence);
    this.#waiting.delete(sequence);
    waiter?.undo();
    waiter?.done.reject(new EngineError("internal", diskFull ? "write metadata: no space left on device" : `write metadata: ${message}`));
  }

  #load(row: { readonly table: TableName; readonly key: string; readonly body: string }, log: Logger): void {
    try {
      this.#tableOf(row.table).set(row.key, JSON.parse(row.body));
    } catch (error) {
      log.error("damaged record left out", { table: row.table, key: row.key, error: messageOf(error) });
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
