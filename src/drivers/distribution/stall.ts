import { ConnectionFailure, connectionFailure } from "./failure.ts";

/** What counts as a connection that does not go on. */
export interface StallLimit {
  readonly milliseconds: number;
  /** Fewer bytes in that time are as good as none: a body that drips would keep its reader for years. */
  readonly minimumBytes: number;
}

/** What a connection must bring to be worth another one after it. */
export const minimumProgressBytes = 16_384;

const bodyLimit: StallLimit = { milliseconds: 30_000, minimumBytes: minimumProgressBytes };

/**
 * Opens an answer and hands on its body, piece by piece, each when the one before was taken.
 * @param open  its signal aborts as well when the registry stalls, and when no more of the body is wanted
 * @throws {ConnectionFailure} when the connection breaks or stalls; what `open` and `take` throw; the signal's reason
 */
export async function receiveBody(
  open: (signal: AbortSignal) => Promise<Response>,
  take: (piece: Uint8Array) => Promise<void>,
  signal: AbortSignal,
  limit = bodyLimit,
): Promise<void> {
  const watch = new StallWatch(limit);
  try {
    const response = await open(AbortSignal.any([signal, watch.signal]));
    await takePieces(response, async (piece) => {
      watch.received(piece.length);
      await take(piece);
    });
  } catch (error) {
    signal.throwIfAborted();
    if (watch.isStalled) throw new ConnectionFailure("unexpected EOF: the registry stopped sending", true, { cause: error });
    throw error;
  } finally {
    watch.end(); // cancels a body that was not read to its end
  }
}

async function takePieces(response: Response, take: (piece: Uint8Array) => Promise<void>): Promise<void> {
  const url = new URL(response.url || "http://registry/");
  const pieces = (response.body ?? new Blob([]).stream()) as AsyncIterable<Uint8Array>;
  const reader = pieces[Symbol.asyncIterator]();
  for (;;) {
    const next = await reader.next().catch(async (error: unknown) => {
      throw await connectionFailure(error, url);
    });
    if (next.done) return;
    await take(next.value);
  }
}

class StallWatch {
  readonly #controller = new AbortController();
  readonly #limit: StallLimit;
  #timer: ReturnType<typeof setTimeout>;
  #receivedBytes = 0;
  isStalled = false;

  constructor(limit: StallLimit) {
    this.#limit = limit;
    this.#timer = this.#start();
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  received(sizeBytes: number): void {
    this.#receivedBytes += sizeBytes;
    if (this.#receivedBytes < this.#limit.minimumBytes) return;
    this.#receivedBytes = 0;
    this.#timer.refresh();
  }

  end(): void {
    clearTimeout(this.#timer);
    this.#controller.abort();
  }

  #start(): ReturnType<typeof setTimeout> {
    return setTimeout(() => {
      this.isStalled = true;
      this.#controller.abort(new DOMException("stalled", "TimeoutError"));
    }, this.#limit.milliseconds);
  }
}
