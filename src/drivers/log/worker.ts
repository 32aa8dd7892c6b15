/// Entry of the log worker: the pumps of all containers, one after the other, on shared buffers. Nothing runs while nothing is written.
import { rm } from "node:fs/promises";
import { messageOf } from "#lib/errors.ts";
import { watchBusyFolder, type FolderWatch } from "#os/inotify.ts";
import { collectWhenIdle } from "#os/process/when-idle.ts";
import type { LogReply, LogRequest } from "./protocol.ts";
import { Pump, pumpBuffers } from "./pump.ts";
import { SharedOffsets } from "./shared-offsets.ts";

declare const self: Worker;

interface Run {
  readonly key: number;
  readonly pump: Pump;
  readonly watcher: FolderWatch;
  /** Answered when the converter has passed these offsets. */
  readonly flushes: { readonly until: number; readonly sequence: number }[];
  finishing: number | undefined;
}

/** Between two looks at the message queue. */
const sliceMilliseconds = 4;
/** After a full disk or a failure. */
const retryMilliseconds = 100;
/** For an event that never came; costs one fstat per container. */
const safetyPollMilliseconds = 5000;

const buffers = pumpBuffers();
const runs = new Map<number, Run>();
/** Finished runs that readers still read. */
const lingering = new Map<number, Pump>();
const ready = new Set<Run>();
let scheduled = false;

function reply(message: LogReply): void {
  self.postMessage(message);
}

function done(sequence: number, error?: unknown): void {
  reply({ type: "done", sequence, ...(error !== undefined && { error: messageOf(error) }) });
}

const collector = collectWhenIdle();

function wake(run: Run): void {
  collector.postpone();
  ready.add(run);
  if (scheduled) return;
  scheduled = true;
  setImmediate(work);
}

/** Each run that has something to do gets one step in turn, so that one busy container starves no other. */
function work(): void {
  scheduled = false;
  const end = performance.now() + sliceMilliseconds;
  for (const run of ready) {
    ready.delete(run);
    advance(run);
    if (performance.now() > end) break;
  }
  const [next] = ready;
  if (next) wake(next);
}

function advance(run: Run): void {
  if (runs.get(run.key) !== run) return; // finished or removed since
  try {
    const step = run.pump.step(performance.now());
    if (step === "more") ready.add(run);
    else if (step === "full") retry(run);
    else if (run.finishing !== undefined) finish(run, run.finishing);
    answerFlushes(run, step === "full");
  } catch (error) {
    reply({ type: "trouble", containerId: run.pump.containerId, message: messageOf(error) });
    answerFlushes(run, true);
    if (run.finishing === undefined) retry(run);
    else abandon(run, run.finishing, error);
  }
}

function retry(run: Run): void {
  setTimeout(() => wake(run), retryMilliseconds);
}

function answerFlushes(run: Run, giveUp: boolean): void {
  const { position } = run.pump;
  while (run.flushes[0] && (giveUp || run.flushes[0].until <= position)) done(run.flushes.shift()?.sequence ?? 0);
}

function finish(run: Run, sequence: number): void {
  const end = run.pump.finish(performance.now());
  if (end === undefined) return retry(run);
  leave(run);
  lingering.set(run.key, run.pump);
  answerFlushes(run, true);
  reply({ type: "ended", key: run.key, end });
  done(sequence);
}

/** A spool that cannot be read must not keep a container from ending. */
function abandon(run: Run, sequence: number, error: unknown): void {
  detach(run);
  reply({ type: "ended", key: run.key, end: run.pump.position });
  done(sequence, error);
}

/** Stops work for a run whose readers may still hold descriptors of its spool: the main thread says when they are released. */
function detach(run: Run): void {
  leave(run);
  run.pump.detach();
  lingering.set(run.key, run.pump);
}

function leave(run: Run): void {
  run.watcher.close();
  runs.delete(run.key);
  ready.delete(run);
}

function open({ sequence, key, config, offsets, limits }: Extract<LogRequest, { type: "open" }>): void {
  const shared = new SharedOffsets(offsets);
  const pump = new Pump(config, limits, shared, buffers, {
    segment: (base, descriptor) => reply({ type: "segment", key, base, descriptor }),
    progress: () => reply({ type: "progress", key }),
    pressure: (reason, on) => reply({ type: "pressure", key, reason, on }),
  });
  const run: Run = { key, pump, watcher: watchBusyFolder(config.spoolFolder, () => wake(run)), flushes: [], finishing: undefined };
  runs.set(key, run);
  done(sequence);
  wake(run);
}

function flush(run: Run | undefined, sequence: number): void {
  if (!run) return done(sequence);
  run.flushes.push({ until: run.pump.end, sequence });
  wake(run);
}

function expectEnd(run: Run | undefined, sequence: number): void {
  if (!run) return done(sequence);
  run.finishing = sequence;
  run.pump.expectEnd(performance.now());
  wake(run);
}

async function remove(run: Run | undefined, folders: readonly string[]): Promise<void> {
  if (run) {
    detach(run);
    answerFlushes(run, true);
    if (run.finishing !== undefined) done(run.finishing);
  }
  for (const folder of folders) await rm(folder, { recursive: true, force: true });
}

/** Converts what is there now; a disk that is full or a container that prints on does not delay it. */
function close(): void {
  for (const run of [...runs.values()]) {
    const until = run.pump.end;
    try {
      while (run.pump.position < until && run.pump.step(performance.now()) === "more");
    } catch (error) {
      reply({ type: "trouble", containerId: run.pump.containerId, message: messageOf(error) });
    }
    detach(run);
  }
  for (const pump of lingering.values()) pump.release();
  lingering.clear();
}

setInterval(() => {
  for (const run of runs.values()) {
    run.pump.free();
    if (run.pump.needsStep) wake(run);
  }
}, safetyPollMilliseconds);

function handle(request: LogRequest): void | Promise<void> {
  switch (request.type) {
    case "open":
      return open(request);
    case "flush":
      return flush(runs.get(request.key), request.sequence);
    case "finish":
      return expectEnd(runs.get(request.key), request.sequence);
    case "release":
      lingering.get(request.key)?.release();
      lingering.delete(request.key);
      return;
    case "remove":
      return remove(request.key === undefined ? undefined : runs.get(request.key), request.folders).then(() => done(request.sequence));
    case "close":
      close();
      return done(request.sequence);
  }
}

self.onmessage = async (event: MessageEvent<LogRequest>) => {
  try {
    await handle(event.data);
  } catch (error) {
    if ("sequence" in event.data) done(event.data.sequence, error);
  }
};
