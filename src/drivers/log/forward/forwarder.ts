import { deferred, type Deferred } from "#lib/async.ts";
import { EngineError } from "#lib/errors.ts";
import type { Logger } from "#lib/log.ts";
import { startWorker } from "#os/process/self.ts";
import { StartError } from "#drivers/runtime/failure.ts";
import { isForwarding } from "../drivers.ts";
import { initializationError } from "../initialize.ts";
import type { LogConfig } from "../types.ts";
import type { ForwardReply, ForwardRequest } from "./protocol.ts";

/** The main thread's end of the sender worker, which is not there before a container needs it. */
export class Forwarder {
  readonly #log: Logger;
  readonly #waiting = new Map<number, Deferred<void>>();
  /** Containers that the worker knows. */
  readonly #known = new Set<string>();
  #worker: Worker | undefined;
  #sequence = 0;
  #failure: EngineError | undefined;

  constructor(log: Logger) {
    this.#log = log;
  }

  /**
   * Begins to send, from where it was sent before.
   * @throws {StartError} with dockerd's text, when `connectFirst` and the server is not there
   */
  async open(config: LogConfig, options: { readonly connectFirst: boolean; readonly ended: boolean }): Promise<void> {
    if (!isForwarding(config.driver)) return;
    this.#known.add(config.containerId);
    try {
      await this.#ask((sequence) => ({ type: "open", sequence, config, ...options }));
    } catch (error) {
      this.#known.delete(config.containerId);
      const text = `failed to create task for container: ${initializationError(error).message}`;
      // As Docker, which knows a program that is not there by these words.
      throw new StartError(text.includes("no such file or directory") ? "not-found" : "other", text, error);
    }
  }

  end(containerId: string): void {
    if (this.#known.has(containerId)) this.#post({ type: "end", containerId });
  }

  /** Before the log's files go: what the server can take within some seconds is sent. */
  async remove(containerId: string): Promise<void> {
    if (this.#known.delete(containerId)) await this.#ask((sequence) => ({ type: "remove", sequence, containerId }));
  }

  async close(): Promise<void> {
    if (!this.#worker) return;
    try {
      if (!this.#failure) await this.#ask((sequence) => ({ type: "close", sequence }));
    } finally {
      this.#worker.terminate();
    }
  }

  #ask(request: (sequence: number) => ForwardRequest): Promise<void> {
    if (this.#failure) return Promise.reject(this.#failure);
    const sequence = ++this.#sequence;
    const waiter = deferred<void>();
    this.#waiting.set(sequence, waiter);
    this.#post(request(sequence));
    return waiter.promise;
  }

  #post(request: ForwardRequest): void {
    this.#worker ??= this.#start();
    this.#worker.postMessage(request);
  }

  #start(): Worker {
    const worker = startWorker("senders");
    worker.onmessage = (event: MessageEvent<ForwardReply>) => this.#handle(event.data);
    worker.onerror = (event) => this.#fail(event.message);
    return worker;
  }

  #handle(reply: ForwardReply): void {
    if (reply.type === "trouble") return this.#log.warn("log driver", { container: reply.containerId, problem: reply.message });
    const waiter = this.#waiting.get(reply.sequence);
    this.#waiting.delete(reply.sequence);
    if (reply.error === undefined) waiter?.resolve();
    else waiter?.reject(new EngineError("unavailable", reply.error));
  }

  /** A fault of ours. Containers run on, and their logs are sent when the daemon is started again. */
  #fail(message: string): void {
    this.#failure = new EngineError("internal", `log sender worker failed: ${message}`);
    this.#log.error("log sender worker failed", { error: message });
    for (const waiter of this.#waiting.values()) waiter.reject(this.#failure);
    this.#waiting.clear();
  }
}
