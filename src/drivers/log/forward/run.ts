import { mkdirSync } from "node:fs";
import { deferred, sleep } from "#lib/async.ts";
import { EngineError, messageOf } from "#lib/errors.ts";
import { watchFolder, type FolderWatch } from "#os/inotify.ts";
import { isForwarding } from "../drivers.ts";
import { localFolder } from "../local/names.ts";
import { lossTexts } from "../loss.ts";
import { removeSentFiles } from "../log-writer.ts";
import { News } from "../news.ts";
import type { LogConfig } from "../types.ts";
import { nothingSent, readSentCursor, writeSentCursor, type SentCursor } from "./sent-cursor.ts";
import { forwardTarget } from "./target.ts";
import type { ForwardTarget, RecordSender } from "./types.ts";
import { UnsentRecords, type Batch } from "./unsent.ts";

/** A server that went away may not have read what it was sent last, unless it confirms: that is sent again. */
const doubtMilliseconds = 1000;
const mostResends = 3;
const unreadableMilliseconds = 1000;
const longestWaitMilliseconds = 60_000;
/** While much is sent, what a kill makes to be sent again. */
const saveMilliseconds = 20;

interface Sent {
  readonly before: SentCursor;
  readonly at: number;
}

/** Sends one container's log from where it was sent before, in order and at least once, for as long as it takes. */
export class ForwardRun {
  readonly #config: LogConfig;
  readonly #target: ForwardTarget;
  readonly #report: (message: string) => void;
  readonly #records: UnsentRecords;
  readonly #news = new News();
  readonly #stop = new AbortController();
  readonly #finished = deferred<void>();
  readonly #watch: FolderWatch;
  #cursor = nothingSent;
  #saved = nothingSent;
  #savedAt = -Infinity;
  #sender: RecordSender | undefined;
  #connectedAt = 0;
  #isLost = false;
  /** Sent on this connection so lately that the server may not have read it. */
  #doubtful: Sent[] = [];
  #resent = { sequence: 0, offset: 0, times: 0 };
  #ended = false;
  #failing = false;

  /** @param report  told of what the daemon's log should tell */
  constructor(config: LogConfig, report: (message: string) => void) {
    const { containerId, driver, options, source, logsFolder } = config;
    if (!isForwarding(driver) || !source) throw new Error(`the driver ${driver} forwards nothing`);
    this.#config = config;
    this.#report = report;
    this.#target = forwardTarget(driver, options, source);
    const folder = localFolder(logsFolder);
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    this.#records = new UnsentRecords(containerId, folder, this.#cursor);
    this.#watch = watchFolder(folder, () => this.#news.ring());
  }

  /** Resolves when all of a log that has ended is sent, or this was stopped. */
  get finished(): Promise<void> {
    return this.#finished.promise;
  }

  /** Records that the server has got, counted from the beginning of the log. */
  get sentRecords(): number {
    return this.#cursor.records;
  }

  /**
   * Begins to send; resolves when the server is there, or need not be.
   * @throws {EngineError} with dockerd's text when the server must be there first and is not: then this has ended
   */
  async begin(connectFirst: boolean): Promise<void> {
    // Read only now: another run may have sent until now.
    await this.#goTo(readSentCursor(this.#config.logsFolder) ?? nothingSent);
    try {
      if (connectFirst && this.#target.connectFirst) await this.#connect();
    } catch (error) {
      this.#stop.abort(error);
      throw error;
    } finally {
      void this.#run();
    }
  }

  /** Nothing is written to the log any more, for now. */
  end(): void {
    this.#ended = true;
    this.#news.ring();
  }

  async stop(): Promise<void> {
    this.#save(0);
    this.#stop.abort(new EngineError("unavailable", "stopped"));
    this.#news.ring();
    await this.finished;
  }

  async #run(): Promise<void> {
    try {
      while (!this.#stop.signal.aborted) if ((await this.#tryStep()) === "end") break;
    } finally {
      this.#watch.close();
      await this.#disconnect();
      await this.#records.close();
      this.#finished.resolve();
    }
  }

  /** A log that cannot be read now is read later: too many open files, a disk that fails for a moment. */
  async #tryStep(): Promise<"more" | "end"> {
    try {
      return await this.#step();
    } catch (error) {
      if (this.#stop.signal.aborted) return "end";
      this.#report(`records cannot be read, and wait: ${messageOf(error)}`);
      await sleep(unreadableMilliseconds, this.#stop.signal);
      await this.#records.seek(this.#cursor);
      return "more";
    }
  }

  async #step(): Promise<"more" | "end"> {
    // Both are asked before the read.
    const seen = this.#news.count;
    const ended = this.#ended;
    if (this.#isLost) await this.#rewind();
    const batch = await this.#records.next();
    if (batch) {
      await this.#deliver(batch);
      return "more";
    }
    this.#save(0);
    if (!ended) await this.#news.wait(seen);
    else if (this.#doubtful.length === 0) return "end";
    else await this.#settleDoubt(seen);
    return "more";
  }

  /** All is sent; the connection is watched until the last of it is surely read. */
  async #settleDoubt(seen: number): Promise<void> {
    const newest = this.#doubtful.at(-1)?.at ?? 0;
    const left = newest + doubtMilliseconds - performance.now();
    if (left <= 0) this.#doubtful = [];
    else await Promise.race([sleep(left, this.#stop.signal), this.#news.wait(seen)]);
  }

  async #deliver(batch: Batch): Promise<void> {
    const before = this.#cursor;
    if (batch.gap) this.#report(lossTexts.unsent);
    for (let attempt = 1; !this.#stop.signal.aborted; attempt++) {
      try {
        const sender = await this.#connect();
        await sender.send(batch.records, this.#stop.signal);
        this.#remember(sender, before);
        this.#failing = false;
        return this.#advance(batch.after);
      } catch (error) {
        if (this.#stop.signal.aborted) return;
        if (await this.#fail(error)) return; // what comes before this batch is to be sent again
        const { maxRetries } = this.#target;
        if (maxRetries !== undefined && attempt > maxRetries) return this.#giveUp(batch, error);
        await this.#waitBefore(attempt);
      }
    }
  }

  #advance(after: SentCursor): void {
    const isNextFile = after.sequence !== this.#cursor.sequence;
    this.#cursor = after;
    this.#save(saveMilliseconds);
    if (isNextFile) removeSentFiles(this.#config, this.#doubtful[0]?.before.sequence ?? after.sequence);
  }

  #giveUp(batch: Batch, error: unknown): void {
    this.#report(`${batch.records.length} records were not sent after ${this.#target.maxRetries} retries: ${messageOf(error)}`);
    this.#advance(batch.after);
  }

  /** True when what was sent before is in doubt, and the next batch begins there. */
  async #fail(error: unknown): Promise<boolean> {
    if (!this.#failing) this.#report(`records cannot be sent, and wait: ${messageOf(error)}`);
    this.#failing = true;
    return await this.#rewind();
  }

  /** The connection is lost. */
  async #rewind(): Promise<boolean> {
    await this.#disconnect();
    const oldest = this.#doubtful.find(({ at }) => performance.now() - at < doubtMilliseconds);
    this.#doubtful = [];
    if (!oldest || !this.#mayResend(oldest.before)) return false;
    await this.#goTo(oldest.before);
    await this.#waitBefore(this.#resent.times);
    return true;
  }

  /** There are servers that read and close: they would get the same for ever. */
  #mayResend({ sequence, offset }: SentCursor): boolean {
    const isSame = this.#resent.sequence === sequence && this.#resent.offset === offset;
    this.#resent = { sequence, offset, times: isSame ? this.#resent.times + 1 : 1 };
    return this.#resent.times <= mostResends;
  }

  async #goTo(cursor: SentCursor): Promise<void> {
    this.#cursor = cursor;
    this.#save(0);
    await this.#records.seek(cursor);
  }

  #remember(sender: RecordSender, before: SentCursor): void {
    if (sender.confirms) return;
    const now = performance.now();
    this.#doubtful = [...this.#doubtful.filter(({ at }) => now - at < doubtMilliseconds), { before, at: now }];
  }

  #waitBefore(attempt: number): Promise<void> {
    const { retryWaitMilliseconds, retryGrowth } = this.#target;
    return sleep(Math.min(longestWaitMilliseconds, retryWaitMilliseconds * retryGrowth ** (attempt - 1)), this.#stop.signal);
  }

  async #connect(): Promise<RecordSender> {
    const { reconnectMilliseconds } = this.#target;
    if (this.#sender && reconnectMilliseconds > 0 && performance.now() - this.#connectedAt > reconnectMilliseconds)
      await this.#disconnect();
    if (!this.#sender) {
      const sender = await this.#target.connect(this.#stop.signal);
      this.#sender = sender;
      this.#connectedAt = performance.now();
      void sender.closed?.then(() => {
        if (this.#sender !== sender) return;
        this.#isLost = true; // what was sent last may have to be sent again, also when nothing new comes
        this.#news.ring();
      });
    }
    return this.#sender;
  }

  async #disconnect(): Promise<void> {
    const sender = this.#sender;
    this.#sender = undefined;
    this.#isLost = false;
    await sender?.[Symbol.asyncDispose]();
  }

  /**
   * On a full disk, or when the log has just been removed, the position is kept in memory.
   * @param sinceMilliseconds  not when it was saved so lately
   */
  #save(sinceMilliseconds: number): void {
    const now = performance.now();
    if (this.#saved === this.#cursor || now - this.#savedAt < sinceMilliseconds) return;
    try {
      writeSentCursor(this.#config.logsFolder, this.#cursor);
      this.#saved = this.#cursor;
      this.#savedAt = now;
    } catch (error) {
      if (!(error instanceof Error && "code" in error)) throw error;
    }
  }
}
