import { randomBytes } from "node:crypto";
import { deferred, type Deferred } from "#lib/async.ts";
import { EngineError, messageOf } from "#lib/errors.ts";
import { StreamConnection } from "../forward/stream-connection.ts";
import type { ForwardRecord, ForwardTarget, RecordSender, RecordSource } from "../forward/types.ts";
import { fluentdEncoder } from "./message.ts";
import { unpackAcks } from "./msgpack.ts";
import { parseFluentdOptions, type FluentdOptions } from "./options.ts";

const chunkBytes = 16;
const retryGrowth = 1.5;
const longestAnswerBytes = 64 << 10;

export function fluentdTarget(options: Readonly<Record<string, string>>, source: RecordSource): ForwardTarget {
  const own = parseFluentdOptions(options);
  const encode = fluentdEncoder(source, own.subSecondPrecision);
  return {
    connect: async (signal) => new FluentdSender(await StreamConnection.open(own.endpoint, signal), own, encode),
    connectFirst: !own.async,
    retryWaitMilliseconds: own.retryWaitMilliseconds,
    retryGrowth,
    maxRetries: own.maxRetries,
    reconnectMilliseconds: own.async ? own.reconnectIntervalMilliseconds : 0,
  };
}

class FluentdSender implements RecordSender {
  readonly confirms: boolean;
  readonly #connection: StreamConnection;
  readonly #writeTimeoutMilliseconds: number;
  readonly #encode: ReturnType<typeof fluentdEncoder>;
  readonly #unconfirmed = new Map<string, Deferred<void>>();
  #answer: Buffer = Buffer.alloc(0);

  constructor(connection: StreamConnection, options: FluentdOptions, encode: ReturnType<typeof fluentdEncoder>) {
    this.#connection = connection;
    this.#writeTimeoutMilliseconds = options.writeTimeoutMilliseconds;
    this.#encode = encode;
    this.confirms = options.requestAck;
    if (options.requestAck) connection.onData = (bytes) => this.#receive(bytes);
    void connection.closed.then(() => this.#rejectAll(connection.failure));
  }

  get closed(): Promise<void> {
    return this.#connection.closed;
  }

  async send(records: readonly ForwardRecord[], signal: AbortSignal): Promise<void> {
    const chunks = this.confirms ? records.map(() => randomBytes(chunkBytes).toString("base64")) : [];
    const confirmed = chunks.map((chunk) => this.#expect(chunk));
    const bytes = Buffer.concat(records.map((record, index) => this.#encode(record, chunks[index])));
    const timeout = this.#writeTimeoutMilliseconds;
    await this.#connection.write(bytes, timeout > 0 ? AbortSignal.any([signal, AbortSignal.timeout(timeout)]) : signal);
    const abort = (): void => this.#rejectAll(signal.reason);
    signal.addEventListener("abort", abort, { once: true });
    try {
      await Promise.all(confirmed);
    } finally {
      signal.removeEventListener("abort", abort);
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#connection[Symbol.asyncDispose]();
  }

  #expect(chunk: string): Promise<void> {
    const waiter = deferred<void>();
    waiter.promise.catch(() => undefined); // the write may fail first
    this.#unconfirmed.set(chunk, waiter);
    return waiter.promise;
  }

  #receive(bytes: Buffer): void {
    try {
      const { acks, rest } = unpackAcks(Buffer.concat([this.#answer, bytes]));
      if (rest.length > longestAnswerBytes) throw new Error("an answer that does not end");
      this.#answer = rest;
      for (const ack of acks) {
        this.#unconfirmed.get(ack)?.resolve();
        this.#unconfirmed.delete(ack);
      }
    } catch (error) {
      this.#rejectAll(new EngineError("unavailable", `fluentd: ${messageOf(error)}`));
      void this.#connection[Symbol.asyncDispose]();
    }
  }

  #rejectAll(reason: unknown): void {
    for (const waiter of this.#unconfirmed.values()) waiter.reject(reason);
    this.#unconfirmed.clear();
  }
}
