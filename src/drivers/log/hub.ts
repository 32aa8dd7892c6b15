import { deferred, type Deferred } from "#lib/async.ts";
import { EngineError } from "#lib/errors.ts";
import type { Logger } from "#lib/log.ts";
import { startWorker } from "#os/process/self.ts";
import { readLog } from "./log-reader.ts";
import { defaultLimits, type LogLimits, type LogReply, type LogRequest } from "./protocol.ts";
import { SpoolReader } from "./reader.ts";
import { isForwarding } from "./drivers.ts";
import { Forwarder } from "./forward/forwarder.ts";
import { Run } from "./run.ts";
import { openLogFiles } from "./open-log-files.ts";
import type { LogConfig, LogEntry, LogHub, LogQuery, OutputReader, OutputReaderOptions, SpoolOffset } from "./types.ts";

/** The main thread's end of the log worker. */
export class WorkerLogHub implements LogHub {
  readonly #log: Logger;
  readonly #limits: LogLimits;
  readonly #worker = startWorker("logs");
  readonly #waiting = new Map<number, Deferred<void>>();
  /** By key: also runs that have ended and are still read. */
  readonly #runs = new Map<number, Run>();
  /** The run of each container that has not ended. */
  readonly #current = new Map<string, Run>();
  readonly #forwarder: Forwarder;
  #sequence = 0;
  #key = 0;
  #failure: EngineError | undefined;

  constructor(log: Logger, limits: Partial<LogLimits> = {}) {
    this.#log = log;
    this.#limits = { ...defaultLimits, ...limits };
    this.#forwarder = new Forwarder(log);
    this.#worker.onmessage = (event: MessageEvent<LogReply>) => this.#handle(event.data);
    this.#worker.onerror = (event) => this.#fail(event.message);
  }

  async open(config: LogConfig, again = false): Promise<void> {
    const { containerId } = config;
    const connected = isForwarding(config.driver) ? this.#forwarder.open(config, { connectFirst: !again, ended: false }) : undefined;
    connected?.catch(() => undefined); // awaited below
    const key = ++this.#key;
    const run = new Run(key, config, this.#limits, () => this.#release(key));
    this.#runs.set(key, run);
    this.#current.set(containerId, run);
    try {
      await this.#ask((sequence) => ({ type: "open", sequence, key, config, offsets: run.offsets.buffer, limits: this.#limits }));
    } catch (error) {
      this.#forget(run);
      this.#forwarder.end(containerId);
      throw error;
    }
    if (connected) await this.#connected(run, connected);
  }

  /** Without its server the container is not started: what was begun for it ends. */
  async #connected(run: Run, connected: Promise<void>): Promise<void> {
    try {
      await connected;
    } catch (error) {
      if (this.#current.get(run.config.containerId) === run) await this.finish(run.config.containerId);
      await this.sendRest(run.config); // of the run before
      throw error;
    }
  }

  setValve(containerId: string, attachSocket: string): void {
    this.#current.get(containerId)?.setValve(attachSocket);
  }

  releaseValve(containerId: string): void {
    this.#current.get(containerId)?.releaseValve();
  }

  async finish(containerId: string): Promise<void> {
    const run = this.#current.get(containerId);
    if (!run) return;
    run.releaseValve();
    try {
      await this.#ask((sequence) => ({ type: "finish", sequence, key: run.key }));
    } finally {
      this.#endCurrent(run);
      this.#forwarder.end(containerId);
    }
  }

  async sendRest(config: LogConfig): Promise<void> {
    if (isForwarding(config.driver)) await this.#forwarder.open(config, { connectFirst: false, ended: true });
  }

  offset(containerId: string): SpoolOffset {
    return this.#current.get(containerId)?.size ?? 0;
  }

  /** Of a container without a run: at its end at once. */
  attach(containerId: string, options: OutputReaderOptions, signal: AbortSignal): OutputReader {
    const run = this.#current.get(containerId);
    if (!run) return endedReader;
    return new SpoolReader(run, options, signal);
  }

  read(config: LogConfig, query: LogQuery, signal: AbortSignal): AsyncIterable<readonly LogEntry[]> {
    const files = openLogFiles(config);
    if (!files) throw new EngineError("not_implemented", "configured logging driver does not support reading");
    const run = this.#current.get(config.containerId);
    const flush = (): Promise<void> => this.#flush(run);
    return readLog({ files, query, signal, run, flush });
  }

  async remove(containerId: string, folders: { readonly spoolFolder: string; readonly logsFolder: string }): Promise<void> {
    const run = this.#current.get(containerId);
    await this.#forwarder.remove(containerId);
    try {
      await this.#ask((sequence) => ({ type: "remove", sequence, key: run?.key, folders: [folders.spoolFolder, folders.logsFolder] }));
    } finally {
      if (run) this.#endCurrent(run);
    }
  }

  async close(): Promise<void> {
    for (const run of this.#runs.values()) run.close();
    await this.#forwarder.close();
    try {
      if (!this.#failure) await this.#ask((sequence) => ({ type: "close", sequence }));
    } finally {
      this.#worker.terminate();
    }
  }

  async #flush(run: Run | undefined): Promise<void> {
    if (run && run.end === undefined) await this.#ask((sequence) => ({ type: "flush", sequence, key: run.key }));
  }

  /** The run takes no more readers; those it has read on. */
  #endCurrent(run: Run): void {
    if (run.end === undefined) run.finish(run.size);
    if (this.#current.get(run.config.containerId) === run) this.#current.delete(run.config.containerId);
  }

  #forget(run: Run): void {
    this.#endCurrent(run);
    this.#runs.delete(run.key);
  }

  #release(key: number): void {
    if (this.#runs.delete(key)) this.#post({ type: "release", key });
  }

  #ask(request: (sequence: number) => LogRequest): Promise<void> {
    if (this.#failure) return Promise.reject(this.#failure);
    const sequence = ++this.#sequence;
    const waiter = deferred<void>();
    this.#waiting.set(sequence, waiter);
    this.#post(request(sequence));
    return waiter.promise;
  }

  #post(request: LogRequest): void {
    this.#worker.postMessage(request);
  }

  #handle(reply: LogReply): void {
    switch (reply.type) {
      case "done":
        return this.#settle(reply.sequence, reply.error);
      case "segment":
        return this.#runs.get(reply.key)?.addSegment({ base: reply.base, descriptor: reply.descriptor });
      case "progress":
        return this.#runs.get(reply.key)?.logNews.ring();
      case "pressure":
        this.#log.debug("log pressure", { container: this.#runs.get(reply.key)?.config.containerId, reason: reply.reason, on: reply.on });
        return this.#runs.get(reply.key)?.hold(reply.reason, reply.on);
      case "ended":
        return this.#runs.get(reply.key)?.finish(reply.end);
      case "trouble":
        this.#log.error("cannot write a container's log", { container: reply.containerId, error: reply.message });
    }
  }

  #settle(sequence: number, error: string | undefined): void {
    const waiter = this.#waiting.get(sequence);
    this.#waiting.delete(sequence);
    if (error === undefined) waiter?.resolve();
    else waiter?.reject(new EngineError("internal", `log: ${error}`));
  }

  /** A fault of ours. Containers run on: their output stays in the spools until the daemon is started again. */
  #fail(message: string): void {
    this.#failure = new EngineError("internal", `log worker failed: ${message}`);
    this.#log.error("log worker failed", { error: message });
    for (const waiter of this.#waiting.values()) waiter.reject(this.#failure);
    this.#waiting.clear();
  }
}

const endedReader: OutputReader = {
  read: () => Promise.resolve(undefined),
  [Symbol.asyncDispose]: () => Promise.resolve(),
};
