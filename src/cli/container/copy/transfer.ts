import type { Invocation } from "../../command.ts";
import { humanSize } from "../../units.ts";

const refreshMilliseconds = 75;
const delayMilliseconds = 250;

/** Counts what passes and shows it on a terminal. */
export class Transfer {
  readonly #err: Invocation["err"];
  readonly #header: string;
  #sizeBytes = 0;
  #timer: ReturnType<typeof setInterval> | undefined;
  #shown = -1;

  /** @param header  what stands before the size */
  constructor(err: Invocation["err"], header: string) {
    this.#err = err;
    this.#header = header;
  }

  async *counted(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void> {
    for await (const chunk of chunks) {
      this.#sizeBytes += chunk.byteLength;
      yield chunk;
    }
  }

  /** From now on it is shown, on one line that is written again and again; a copy that ends soon shows nothing. */
  begin(isTerminal: boolean): void {
    if (!isTerminal) return;
    const start = performance.now();
    this.#timer = setInterval(() => {
      if (performance.now() - start > delayMilliseconds) void this.#show();
    }, refreshMilliseconds);
  }

  /** Takes the line away and says what was done. */
  async end(destination: string): Promise<void> {
    await this.stop();
    await this.#err.line(`Successfully copied ${humanSize(this.#sizeBytes, 3)} to ${destination}`);
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    this.#timer = undefined;
    if (this.#shown < 0) return;
    this.#shown = -1;
    await this.#write(`${cursor.restore}${cursor.eraseLine}`);
  }

  async #show(): Promise<void> {
    if (this.#shown === this.#sizeBytes) return;
    const start = this.#shown < 0 ? cursor.save : "";
    this.#shown = this.#sizeBytes;
    await this.#write(`${start}${cursor.restore}${cursor.eraseLine}${this.#header}${humanSize(this.#sizeBytes, 3)}`);
  }

  /** Movements of the cursor go as bytes: see Output. */
  #write(text: string): Promise<void> {
    return this.#err.write(new TextEncoder().encode(text));
  }
}

const cursor = { save: "\u001b7", restore: "\u001b8", eraseLine: "\u001b[2K" } as const;
