import { check, libc } from "../libc.ts";

const O_CLOEXEC = 0o2000000;

/** Both ends of a pipe, closed on exec unless given to a child by number. Source: pipe2(2). */
export function openPipe(): { readonly read: number; readonly write: number } {
  const pair = Buffer.alloc(8);
  check(libc.pipe2(pair, O_CLOEXEC), "open pipe");
  return { read: pair.readInt32LE(0), write: pair.readInt32LE(4) };
}

const F_SETPIPE_SZ = 1031;

/** Lets a pipe hold more than 64 KiB, as far as the host allows. Source: fcntl(2). */
export function widenPipe(descriptor: number, sizeBytes: number): void {
  libc.fcntl(descriptor, F_SETPIPE_SZ, sizeBytes);
}

/** The reading end of a pipe on the event loop: nothing is read ahead, so a slow reader holds the writer back. Owns the descriptor. */
export class PipeReader {
  readonly #descriptor: number;
  readonly #reader: { read(): Promise<{ readonly done: boolean; readonly value?: Uint8Array | undefined }>; cancel(): Promise<void> };
  #open = true;

  constructor(descriptor: number) {
    this.#descriptor = descriptor;
    this.#reader = Bun.file(descriptor).stream().getReader();
  }

  /** Next bytes; undefined at the end, which also closes the descriptor. */
  async read(): Promise<Uint8Array | undefined> {
    if (!this.#open) return undefined;
    const { value, done } = await this.#reader.read();
    if (!done) return value;
    await this.close();
    return undefined;
  }

  async close(): Promise<void> {
    if (!this.#open) return;
    this.#open = false;
    // A read under way must have let go of the descriptor before its number can be used again.
    await this.#reader.cancel();
    libc.close(this.#descriptor);
  }
}

/** The writing end of a pipe on the event loop. Owns the descriptor. */
export class PipeWriter {
  readonly #descriptor: number;
  readonly #sink: Bun.FileSink;
  #open = true;

  constructor(descriptor: number) {
    this.#descriptor = descriptor;
    this.#sink = Bun.file(descriptor).writer({ highWaterMark: 1 });
  }

  /** Resolves when the pipe has taken the bytes. @throws ErrnoException `EPIPE` when nobody reads any more */
  async write(chunk: Uint8Array): Promise<void> {
    if (!this.#open || chunk.length === 0) return;
    await this.#sink.write(chunk);
    await this.#sink.flush();
  }

  /** The reader sees the end. */
  async close(): Promise<void> {
    if (!this.#open) return;
    this.#open = false;
    try {
      await this.#sink.end();
    } catch (error) {
      // What was not taken before the other side left is nobody's.
      if ((error as NodeJS.ErrnoException).code !== "EPIPE") throw error;
    } finally {
      libc.close(this.#descriptor);
    }
  }
}
