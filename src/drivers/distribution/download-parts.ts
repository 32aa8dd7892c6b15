import type { BlobFile } from "./blob-file.ts";
import { isPart, isWhole, rangeHeader, type ByteRange } from "./content-range.ts";
import { ConnectionFailure } from "./failure.ts";
import { Pace } from "./pace.ts";
import { PartQueue } from "./part-queue.ts";
import type { Backoff } from "./retry.ts";
import { minimumProgressBytes, receiveBody } from "./stall.ts";

/** Smaller blobs are there before a second connection is of use. */
export const parallelFromBytes = 64 << 20;
/** One request; small enough that the connections end at about the same time. */
const partBytes = 16 << 20;
const paceMilliseconds = 250;
/** Of connections beside the first; then it goes on alone. */
const maximumExtraFailures = 3;
/** Of the first one; a registry that sends a little and breaks off, again and again, is given up. */
const maximumFailures = 64;

export interface PartsDownload {
  readonly sizeBytes: number;
  /** Asks for the blob with these fields; any answer but "later" is given. */
  readonly open: (headers: Readonly<Record<string, string>>, signal: AbortSignal) => Promise<Response>;
  /** Leave to open one connection more, until its disposal. */
  readonly spare: () => Disposable | undefined;
  readonly onBytes: (sizeBytes: number) => void;
  readonly backoff: Backoff;
}

/** The registry does not give parts, or not those that it was asked for. */
class NoParts extends Error {
  override readonly name = "NoParts";
}

/**
 * Fetches a blob in parts, by several connections when one is not fast. What the registry does not give in parts is left to whoever goes on:
 * afterwards the blob is complete, or good up to its `hashedBytes`, or begun anew.
 * @throws {ConnectionFailure} or {RegistryRefusal} when retries end; the signal's reason
 */
export async function downloadParts(blob: BlobFile, download: PartsDownload, signal: AbortSignal): Promise<void> {
  const parts = new PartsInFlight(blob, download, signal);
  try {
    await parts.run();
  } catch (error) {
    signal.throwIfAborted();
    if (!(error instanceof NoParts)) throw error;
  } finally {
    await parts.end();
    await blob.forgetAhead();
  }
}

class PartsInFlight {
  readonly #blob: BlobFile;
  readonly #download: PartsDownload;
  readonly #signal: AbortSignal;
  readonly #queue: PartQueue;
  readonly #pace = new Pace();
  readonly #stopExtras = new AbortController();
  readonly #extras = new Set<Promise<void>>();
  /** What the registry calls the blob's content; another one in the middle is another content. */
  #etag: string | null | undefined;
  #receivedBytes = 0;
  #extraFailures = 0;

  constructor(blob: BlobFile, download: PartsDownload, signal: AbortSignal) {
    this.#blob = blob;
    this.#download = download;
    this.#signal = signal;
    this.#queue = new PartQueue(download.sizeBytes, partBytes);
  }

  /** The first connection, which alone waits and tries again, and takes what the others did not manage. */
  async run(): Promise<void> {
    const timer = setInterval(() => this.#adjust(), paceMilliseconds);
    try {
      for (let failures = 0; ;) {
        const part = this.#queue.take();
        if (part) failures += await this.#fetchOrWait(part, failures);
        else if (this.#extras.size > 0) await Promise.race(this.#extras);
        else return;
      }
    } finally {
      clearInterval(timer);
    }
  }

  /** Returns when no connection is left. */
  async end(): Promise<void> {
    this.#stopExtras.abort();
    await Promise.allSettled(this.#extras);
  }

  /** @returns the number of failures */
  async #fetchOrWait(part: ByteRange, failures: number): Promise<number> {
    try {
      await this.#fetch(part, this.#signal);
      return 0;
    } catch (error) {
      if (failures >= maximumFailures) throw error;
      await this.#download.backoff.next(error, this.#signal);
      return 1;
    }
  }

  /** Fetches a part; its rest is given back when that fails. @throws {NoParts} when it is of no use to go on so */
  async #fetch(part: ByteRange, signal: AbortSignal): Promise<void> {
    let { start: position, end } = part;
    const open = async (partSignal: AbortSignal): Promise<Response> => {
      const response = await this.#open(part, partSignal);
      if (response.status === 200) end = this.#takeAll();
      return response;
    };
    const take = async (piece: Uint8Array): Promise<void> => {
      if (position + piece.length > end) throw new NoParts("a part is longer than it was said to be");
      await this.#blob.write(piece, position);
      position += piece.length;
      this.#received(piece.length);
    };
    try {
      await receiveBody(open, take, signal);
      if (position < end) throw new ConnectionFailure("unexpected EOF", true);
    } catch (error) {
      this.#queue.giveBack({ start: position, end });
      if (position - part.start >= minimumProgressBytes) this.#download.backoff.progressed();
      throw error;
    }
  }

  async #open(part: ByteRange, signal: AbortSignal): Promise<Response> {
    const response = await this.#download.open({ range: rangeHeader(part) }, signal);
    const etag = response.headers.get("etag");
    const isFirst = this.#etag === undefined;
    if (this.#etag === undefined) this.#etag = etag;
    if (isFirst && isWhole(response, this.#download.sizeBytes)) return response;
    if (!isPart(response, part, this.#download.sizeBytes) || etag !== this.#etag) throw new NoParts("the registry gives no parts");
    return response;
  }

  /** The registry sends everything, whatever it is asked: its first answer is as good as any. */
  #takeAll(): number {
    this.#queue.clear();
    return this.#download.sizeBytes;
  }

  #received(sizeBytes: number): void {
    this.#receivedBytes += sizeBytes;
    this.#download.onBytes(this.#receivedBytes);
  }

  #adjust(): void {
    const sample = { milliseconds: performance.now(), receivedBytes: this.#receivedBytes };
    const decision = this.#pace.decide(sample, 1 + this.#extras.size);
    if (decision === "one") return this.#stopExtras.abort();
    if (decision === "stay" || this.#queue.isEmpty || this.#extraFailures >= maximumExtraFailures) return;
    const place = this.#download.spare();
    if (!place) return;
    this.#pace.changed(sample);
    const extra = this.#runExtra(place).finally(() => this.#extras.delete(extra));
    this.#extras.add(extra);
  }

  /** One more connection, for as long as there are parts; its failures are the first one's to deal with. */
  async #runExtra(place: Disposable): Promise<void> {
    const signal = AbortSignal.any([this.#signal, this.#stopExtras.signal]);
    try {
      for (let part = this.#queue.take(); part && !signal.aborted; part = this.#queue.take()) await this.#fetch(part, signal);
    } catch (error) {
      // What it has not fetched is in the queue again.
      this.#extraFailures += error instanceof NoParts ? maximumExtraFailures : 1;
    } finally {
      place[Symbol.dispose]();
    }
  }
}
