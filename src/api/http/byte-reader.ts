import type { Duplex } from "node:stream";

const highWaterBytes = 64 * 1024;

/**
 * Pulls bytes from a socket. Reads ahead a little, so that a client that leaves is noticed; then the socket waits. Nothing that came
 * before is lost: bytes after a request's head are given to the constructor, and `detach` hands back what was not taken.
 */
export class ByteReader {
  readonly #socket: Duplex;
  readonly #queue: Uint8Array[] = [];
  #queuedBytes = 0;
  #ended = false;
  #wake: (() => void) | undefined;

  constructor(socket: Duplex, first: Uint8Array) {
    this.#socket = socket;
    if (first.length > 0) this.#push(first);
    socket.on("data", this.#push);
    socket.on("end", this.#end);
    socket.on("close", this.#end);
    if (this.#queuedBytes < highWaterBytes) socket.resume();
  }

  /** The next piece; undefined after the client has closed its side. One reader at a time. */
  async read(): Promise<Uint8Array | undefined> {
    while (this.#queue.length === 0 && !this.#ended) await new Promise<void>((resolve) => (this.#wake = resolve));
    const chunk = this.#queue.shift();
    this.#queuedBytes -= chunk?.length ?? 0;
    if (this.#queuedBytes < highWaterBytes && !this.#ended) this.#socket.resume();
    return chunk;
  }

  /** What is here already, without waiting. */
  peek(): Uint8Array | undefined {
    return this.#queue[0];
  }

  /** Drops the first bytes of what is here; at most one piece. */
  skip(sizeBytes: number): void {
    const chunk = this.#queue.shift();
    this.#queuedBytes -= chunk?.length ?? 0;
    if (chunk) this.unread(chunk.subarray(sizeBytes));
  }

  /** Gives back bytes that belong to the next reader. */
  unread(chunk: Uint8Array): void {
    if (chunk.length === 0) return;
    this.#queue.unshift(chunk);
    this.#queuedBytes += chunk.length;
  }

  /** Leaves the socket, paused, and returns what was not read. */
  detach(): Uint8Array {
    this.#socket.off("data", this.#push);
    this.#socket.off("end", this.#end);
    this.#socket.off("close", this.#end);
    this.#socket.pause();
    return Buffer.concat(this.#queue.splice(0));
  }

  readonly #push = (chunk: Uint8Array): void => {
    this.#queue.push(chunk);
    this.#queuedBytes += chunk.length;
    if (this.#queuedBytes >= highWaterBytes) this.#socket.pause();
    this.#wake?.();
  };

  readonly #end = (): void => {
    this.#ended = true;
    this.#wake?.();
  };
}
