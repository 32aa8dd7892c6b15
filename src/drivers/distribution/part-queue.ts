import type { ByteRange } from "./content-range.ts";

/** The parts of a blob that nobody fetches yet, in their order. */
export class PartQueue {
  readonly #sizeBytes: number;
  readonly #partBytes: number;
  /** Of parts that were begun. */
  readonly #rests: ByteRange[] = [];
  #next = 0;

  constructor(sizeBytes: number, partBytes: number) {
    this.#sizeBytes = sizeBytes;
    this.#partBytes = partBytes;
  }

  /** What is wanted next: the beginning first, since all else waits for it. */
  take(): ByteRange | undefined {
    const rest = this.#rests.shift();
    if (rest) return rest;
    const start = this.#next;
    this.#next = Math.min(this.#sizeBytes, start + this.#partBytes);
    return start < this.#next ? { start, end: this.#next } : undefined;
  }

  giveBack(rest: ByteRange): void {
    if (rest.start === rest.end) return;
    this.#rests.push(rest);
    this.#rests.sort((one, other) => one.start - other.start);
  }

  /** Somebody fetches all that is left. */
  clear(): void {
    this.#rests.length = 0;
    this.#next = this.#sizeBytes;
  }

  get isEmpty(): boolean {
    return this.#rests.length === 0 && this.#next === this.#sizeBytes;
  }
}
