import { read } from "node:fs";
import { EngineError } from "#lib/errors.ts";
import type { Run, SpoolClient } from "./run.ts";
import { toFrames } from "./spool-frames.ts";
import type { OutputReader, OutputReaderOptions, SpoolOffset } from "./types.ts";

/** A reader of single lines has a small buffer; one of a stream, this. */
const smallBufferBytes = 16 << 10;
const largeBufferBytes = 256 << 10;
const newline = 10;

/** The output of a run as one attached client gets it: read from the spool at its own pace. */
export class SpoolReader implements OutputReader, SpoolClient {
  readonly #run: Run;
  readonly #options: OutputReaderOptions;
  readonly #signal: AbortSignal;
  #position: SpoolOffset;
  /** The position may be inside of a record: what comes up to the next newline is not ours. */
  #skipping: boolean;
  #buffer = Buffer.alloc(0);
  #reading: Promise<unknown> | undefined;
  #closed = false;
  #failure: EngineError | undefined;

  constructor(run: Run, options: OutputReaderOptions, signal: AbortSignal) {
    this.#run = run;
    this.#options = options;
    this.#signal = signal;
    this.#position = options.from;
    const start = run.addClient(this);
    // A record begins where the byte before it is a newline, for no record holds one: begin with that byte.
    this.#skipping = start > 0 && start > (run.segmentAt(start)?.segment.base ?? 0);
    this.#position = this.#skipping ? start - 1 : start;
    signal.addEventListener("abort", this.#onAbort, { once: true });
    if (signal.aborted) this.#onAbort();
  }

  get position(): SpoolOffset {
    return this.#position;
  }

  get lag(): "hold" | "drop" {
    return this.#options.lag;
  }

  /** @throws {EngineError} `unavailable` when this client was too slow */
  async read(): Promise<Uint8Array | undefined> {
    for (;;) {
      if (this.#failure) throw this.#failure;
      if (this.#closed) return undefined;
      // Asked before the read: when that finds nothing, this was the end.
      const seen = this.#run.spoolNews.count;
      const { end } = this.#run;
      const before = this.#position;
      const piece = await this.#readPiece();
      if (piece && piece.length > 0) return piece;
      if (this.#closed || this.#position > before) continue;
      if (end !== undefined) await this[Symbol.asyncDispose]();
      else await this.#run.spoolNews.wait(seen);
    }
  }

  drop(): void {
    if (!this.#closed && this.#run.end === undefined)
      this.#failure = new EngineError("unavailable", "the client reads too slowly: it was left behind by the container's output");
    this.#close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#close();
    await this.#reading;
  }

  readonly #onAbort = (): void => this.#close();

  #close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#signal.removeEventListener("abort", this.#onAbort);
    this.#run.spoolNews.ring(); // a read that waits
    // The descriptor must stay open while it is read from.
    if (this.#reading) void this.#reading.finally(() => this.#run.removeClient(this));
    else this.#run.removeClient(this);
  }

  /** What is there now; undefined when that is nothing. */
  async #readPiece(): Promise<Uint8Array | undefined> {
    const found = this.#run.segmentAt(this.#position);
    if (!found) return undefined;
    const { segment, next } = found;
    if (this.#buffer.length === 0) this.#buffer = Buffer.allocUnsafeSlow(smallBufferBytes);
    const buffer = this.#buffer;
    const reading = readAt(segment.descriptor, buffer, this.#position - segment.base);
    this.#reading = reading;
    let length: number;
    try {
      length = await reading;
    } finally {
      this.#reading = undefined;
    }
    const piece = this.#take(buffer, length, next);
    if (length === buffer.length && length < largeBufferBytes) this.#buffer = Buffer.allocUnsafeSlow(largeBufferBytes);
    if (!this.#closed) this.#run.updateRetained();
    return piece;
  }

  #take(buffer: Buffer, length: number, next: SpoolOffset | undefined): Uint8Array | undefined {
    let input = buffer;
    let count = length;
    if (this.#skipping && length > 0) {
      const end = buffer.indexOf(newline);
      const skipped = end < 0 || end >= length ? length : end + 1;
      this.#skipping = skipped === length && buffer[length - 1] !== newline;
      this.#position += skipped;
      input = buffer.subarray(skipped);
      count = length - skipped;
    }
    const output = Buffer.allocUnsafeSlow(count);
    const { used, filled } = toFrames(input, count, output, this.#options);
    this.#position += used;
    // What is left at the end of a complete segment, or fills the buffer without an end, is no record.
    if (used === 0 && next !== undefined && count < input.length) this.#position = Math.max(this.#position, next);
    else if (used === 0 && length === largeBufferBytes) this.#skipping = true;
    return output.subarray(0, filled);
  }
}

function readAt(descriptor: number, buffer: Buffer, position: number): Promise<number> {
  return new Promise((resolve, reject) => {
    read(descriptor, buffer, 0, buffer.length, position, (error, count) => {
      if (error) reject(error);
      else resolve(count);
    });
  });
}
