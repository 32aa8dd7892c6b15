/// Entry of the store worker: the only user of the database while the daemon runs. Writes that arrive together share one sync.
import { Database, SQLiteError } from "bun:sqlite";
import { chmodSync, closeSync, openSync } from "node:fs";
import { messageOf } from "#lib/errors.ts";
import { collectWhenIdle } from "#os/process/when-idle.ts";
import { CommitMark } from "./commit-mark.ts";
import { refuseEmptied } from "./damage.ts";
import { isNearlyFull, reserveSpace } from "./reserve.ts";
import type { EventRow, RowChange, StoreReply, StoreRequest } from "./protocol.ts";
import { keptEvents, migrations, tables } from "./schema.ts";

declare const self: Worker;

type Commit = Extract<StoreRequest, { type: "commit" }>;

const retryMilliseconds = 500;
const commitCountKey = "commits";
let database: Database | undefined;
let databasePath = "";
let mark: CommitMark | undefined;
let queue: Commit[] = [];
/** Observations that met a full disk, oldest first. Bounded by what the daemon observes while the disk is full. */
let postponed: Commit[] = [];

function reply(message: StoreReply): void {
  self.postMessage(message);
}

function open(path: string): Database {
  refuseEmptied(path);
  closeSync(openSync(path, "a", 0o600));
  chmodSync(path, 0o600); // environments of containers are in it; the files beside it take its mode
  const opened = new Database(path, { create: true, strict: true });
  opened.run("PRAGMA journal_mode = WAL");
  setSynced(opened, true);
  opened.run("PRAGMA foreign_keys = ON");
  const [problem] = opened.query<{ quick_check: string }, []>("PRAGMA quick_check(1)").all();
  if (problem && problem.quick_check !== "ok") throw new Error(problem.quick_check);
  migrate(opened);
  reserveSpace(path);
  mark = CommitMark.open(`${path}-commits`, path, commitCount(opened));
  return opened;
}

function commitCount(opened: Database): number {
  const row = opened.query<{ body: string }, [string]>("SELECT body FROM setting WHERE key = ?").get(commitCountKey);
  return row === null ? 0 : Number(row.body);
}

function migrate(opened: Database): void {
  const { user_version: version } = opened.query<{ user_version: number }, []>("PRAGMA user_version").get() ?? { user_version: 0 };
  if (version > migrations.length) {
    throw new Error(
      `the database was written by a newer version (schema ${version}, this one knows ${migrations.length}): install that version again`,
    );
  }
  for (let step = version; step < migrations.length; step++) {
    opened.transaction(() => {
      opened.run(migrations[step] ?? "");
      opened.run(`PRAGMA user_version = ${step + 1}`);
    })();
  }
}

function loadRows(opened: Database): Extract<StoreReply, { type: "opened" }>["rows"] {
  return tables.flatMap((table) =>
    opened
      .query<{ key: string; body: string }, []>(`SELECT key, body FROM ${table} ORDER BY key`)
      .all()
      .map((row) => ({ table, ...row })),
  );
}

let isSynced: boolean | undefined;

/** Without it a commit is in the log, and the next synced one takes it along. Source: SQLite, PRAGMA synchronous in WAL mode. */
function setSynced(opened: Database, synced: boolean): void {
  if (synced !== isSynced) opened.run(`PRAGMA synchronous = ${synced ? "FULL" : "NORMAL"}`);
  isSynced = synced;
}

function apply(opened: Database, commits: readonly Commit[]): void {
  const synced = commits.some((commit) => commit.synced);
  setSynced(opened, synced);
  opened.transaction(() => {
    const changes = commits.flatMap((commit) => commit.changes);
    for (const change of changes) applyChange(opened, change);
    trimEvents(opened, changes.filter(({ table }) => table === "event").length);
    if (mark) applyChange(opened, { table: "setting", key: commitCountKey, body: String(mark.next) });
  })();
  mark?.advance(synced);
}

/** In steps, so that not every event pays for a removal; the first one after the start does. */
const trimStep = 500;
let untilTrim = 0;

function trimEvents(opened: Database, added: number): void {
  untilTrim -= added;
  if (added === 0 || untilTrim > 0) return;
  untilTrim = trimStep;
  opened.query("DELETE FROM event WHERE key <= (SELECT key FROM event ORDER BY key DESC LIMIT 1 OFFSET ?)").run(keptEvents);
}

function readEvents(opened: Database, { after, limit }: { readonly after: string; readonly limit: number }): EventRow[] {
  return opened.query<EventRow, [string, number]>("SELECT key, body FROM event WHERE key > ? ORDER BY key LIMIT ?").all(after, limit);
}

function applyChange(opened: Database, { table, key, body }: RowChange): void {
  if (body === null) opened.query(`DELETE FROM ${table} WHERE key = ?`).run(key);
  else opened.query(`INSERT INTO ${table} (key, body) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET body = excluded.body`).run(key, body);
}

function flush(): void {
  if (!database) return;
  const batch = [...postponed, ...withoutRefused(queue)];
  queue = [];
  postponed = [];
  if (batch.length === 0) return;
  try {
    apply(database, batch);
    reply({ type: "committed", sequences: batch.map((commit) => commit.sequence) });
  } catch (error) {
    for (const commit of batch) applyAlone(database, commit, error);
  }
}

/** On a full disk what would take more space is told so, and what gives some back has the reserve to itself. */
function withoutRefused(commits: readonly Commit[]): readonly Commit[] {
  const grows = ({ durability, changes }: Commit): boolean => durability === "required" && changes.some(({ body }) => body !== null);
  if (!commits.some(grows) || !isNearlyFull(databasePath)) return commits;
  for (const { sequence } of commits.filter(grows)) reply({ type: "failed", sequence, message: "the disk is full", diskFull: true });
  return commits.filter((commit) => !grows(commit));
}

/** After a batch failed: each commit by itself, in order, so that one that cannot be written does not take the others with it. */
function applyAlone(opened: Database, commit: Commit, batchError: unknown): void {
  let failure = batchError;
  // Order matters: what comes after a postponed observation waits behind it, unless it must be answered.
  if (postponed.length === 0 || commit.durability === "required") {
    try {
      apply(opened, [commit]);
      reply({ type: "committed", sequences: [commit.sequence] });
      return;
    } catch (error) {
      failure = error;
    }
  }
  const diskFull = isDiskFull(failure);
  if (commit.durability === "observed") {
    if (postponed.push(commit) === 1) setTimeout(flush, retryMilliseconds);
    return;
  }
  reply({ type: "failed", sequence: commit.sequence, message: messageOf(failure), diskFull });
}

function isDiskFull(error: unknown): boolean {
  return error instanceof SQLiteError && (error.code === "SQLITE_FULL" || error.code?.startsWith("SQLITE_IOERR") === true);
}

const collector = collectWhenIdle();

self.onmessage = (event: MessageEvent<StoreRequest>) => {
  collector.postpone();
  const request = event.data;
  switch (request.type) {
    case "open":
      try {
        databasePath = request.path;
        database = open(request.path);
        reply({ type: "opened", rows: loadRows(database) });
      } catch (error) {
        reply({ type: "refused", message: messageOf(error) });
      }
      return;
    case "commit":
      // Everything that is in the message queue by then goes into one transaction.
      if (queue.push(request) === 1) setImmediate(flush);
      return;
    case "events":
      try {
        reply({ type: "events", sequence: request.sequence, rows: database ? readEvents(database, request) : [] });
      } catch (error) {
        reply({ type: "failed", sequence: request.sequence, message: messageOf(error), diskFull: false });
      }
      return;
    case "close":
      flush();
      database?.close();
      mark?.close();
      database = undefined;
      reply({ type: "closed" });
  }
};
