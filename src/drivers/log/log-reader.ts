import { LineReader } from "./line-reader.ts";
import { closeLogFiles, type LogFile, type LogFiles } from "./log-files.ts";
import { findTail } from "./log-tail.ts";
import type { News } from "./news.ts";
import type { LogEntry, LogQuery } from "./types.ts";

/** What following needs to know of a container that runs. */
export interface FollowedRun {
  readonly logNews: News;
  /** Set when the log has its last line. */
  readonly end: number | undefined;
  addFollower(): void;
  removeFollower(): void;
}

export interface LogRead {
  readonly files: LogFiles;
  readonly query: LogQuery;
  readonly signal: AbortSignal;
  /** Undefined: the container does not run, there is nothing to follow. */
  readonly run: FollowedRun | undefined;
  /** Resolves when what was printed before is in the file. */
  flush(): Promise<void>;
}

/** What is read at once. Its texts are valid until the next is asked for. */
export type LogEntries = readonly LogEntry[];

/**
 * Entries of a container's log, oldest first. Memory is one block per reader, whatever the size of the log; a file that is rotated
 * away is read to its end. As in Docker, `tail` counts lines of both streams before any other condition looks at them.
 */
export async function* readLog(options: LogRead): AsyncGenerator<LogEntries, void, undefined> {
  const { query, signal } = options;
  const run = query.follow ? options.run : undefined;
  // Before the first look at the files, so that no news is missed.
  run?.addFollower();
  let files: LogFile[] = [];
  try {
    await options.flush();
    files = await options.files.open();
    const start = await startOf(files, query.tail);
    for (let index = start.index; index < files.length; index++) {
      const file = files[index];
      if (!file || isOlder(file, query, index === files.length - 1)) continue;
      const isLast = index === files.length - 1;
      const since = query.sinceNano === undefined ? 0 : file.positionOf(query.sinceNano);
      const lines = new LineReader(file, Math.max(since, index === start.index ? start.position : 0));
      if (yield* entries(options, lines, isLast ? file.size : Infinity, signal)) return;
      if (isLast && run) yield* follow(options, run, file, lines);
    }
    if (run && files.length === 0) yield* follow(options, run, undefined, undefined);
  } finally {
    run?.removeFollower();
    await closeLogFiles(files);
  }
}

function startOf(files: readonly LogFile[], tail: number | undefined): Promise<{ index: number; position: number }> {
  return tail === undefined ? Promise.resolve({ index: 0, position: 0 }) : findTail(files, tail);
}

/** All of a rotated file was written before its last change. */
function isOlder(file: LogFile, query: LogQuery, isLast: boolean): boolean {
  return !isLast && query.sinceNano !== undefined && BigInt(Math.ceil(file.modifiedMilliseconds)) * 1_000_000n < query.sinceNano;
}

/** Entries up to a position of the file. True when no more are wanted at all. */
async function* entries(
  { files, query }: LogRead,
  lines: LineReader,
  until: number,
  signal: AbortSignal,
): AsyncGenerator<LogEntries, boolean, undefined> {
  while (!signal.aborted && (await lines.fill(until))) {
    const { found, isOver } = takeEntries(files, query, lines);
    if (found.length > 0) yield found;
    if (isOver) return true;
  }
  return signal.aborted;
}

/** The whole lines that have been read, as far as they are wanted. */
function takeEntries(
  files: LogFiles,
  { stdout, stderr, sinceNano, untilNano }: LogQuery,
  lines: LineReader,
): { readonly found: LogEntries; readonly isOver: boolean } {
  const found: LogEntry[] = [];
  for (let line = lines.next(); line; line = lines.next()) {
    const entry = files.parse(line);
    if (!entry || !(entry.stream === "stdout" ? stdout : stderr)) continue;
    if (sinceNano !== undefined && entry.timeNano < sinceNano) continue;
    if (untilNano !== undefined && entry.timeNano > untilNano) return { found, isOver: true };
    found.push(entry);
  }
  return { found, isOver: false };
}

/** What comes after the files were opened, from file to file, until the run ends. */
async function* follow(
  options: LogRead,
  run: FollowedRun,
  first: LogFile | undefined,
  firstLines: LineReader | undefined,
): AsyncGenerator<LogEntries, void, undefined> {
  const { files } = options;
  using stop = stopOf(options.signal, options.query.untilNano);
  let file = first;
  let lines = firstLines;
  try {
    for (;;) {
      // All three are asked before the read: only when that finds nothing they tell that there is nothing more.
      const seen = run.logNews.count;
      const ended = run.end !== undefined;
      const rotated = !(await files.isCurrent(file));
      const before = lines?.position;
      if (lines && (yield* entries(options, lines, Infinity, stop.signal))) return;
      if (lines?.position !== before) continue;
      if (rotated) {
        const next = await files.openNext(file);
        if (next) {
          if (file && file !== first) await closeLogFiles([file]);
          file = next;
          lines = new LineReader(next, 0);
          continue;
        }
      }
      if (ended || stop.signal.aborted) return;
      await Promise.race([run.logNews.wait(seen), stop.promise]);
    }
  } finally {
    if (file && file !== first) await closeLogFiles([file]);
  }
}

const longestTimerMilliseconds = 2 ** 31 - 1;

/** Aborts with `signal`, and when the clock has passed `untilNano`. */
function stopOf(
  signal: AbortSignal,
  untilNano: bigint | undefined,
): { readonly signal: AbortSignal; readonly promise: Promise<void>; [Symbol.dispose](): void } {
  const controller = new AbortController();
  const { promise, resolve } = Promise.withResolvers<void>();
  const stop = (): void => {
    controller.abort();
    resolve();
  };
  signal.addEventListener("abort", stop, { once: true });
  if (signal.aborted) stop();
  const wait = untilNano === undefined ? undefined : Math.max(0, Number(untilNano / 1_000_000n) + 1 - Date.now());
  const timer = wait === undefined ? undefined : setTimeout(stop, Math.min(wait, longestTimerMilliseconds));
  return {
    signal: controller.signal,
    promise,
    [Symbol.dispose]() {
      clearTimeout(timer);
      signal.removeEventListener("abort", stop);
    },
  };
}
