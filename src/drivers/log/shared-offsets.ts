const [retained, freed, following, announced] = [0, 1, 2, 3];
const words = 4;
const nobody = 2n ** 62n;

/**
 * What main thread and worker must agree on about one container without waiting for messages. Offsets are those of the output since the
 * container's start. Each side writes its own word first and looks at the other's afterwards, so that of a reader that begins and a worker
 * that frees at the same moment at least one notices.
 */
export class SharedOffsets {
  readonly buffer: SharedArrayBuffer;
  readonly #words: BigInt64Array;

  constructor(buffer?: SharedArrayBuffer) {
    this.buffer = buffer ?? new SharedArrayBuffer(words * BigInt64Array.BYTES_PER_ELEMENT);
    this.#words = new BigInt64Array(this.buffer);
    if (!buffer) this.#store(retained, nobody);
  }

  /** Main thread: the lowest offset that a reader needs, or undefined for none. */
  retain(offset: number | undefined): void {
    this.#store(retained, offset === undefined ? nobody : BigInt(offset));
  }

  /** Main thread: bytes before it may be gone. Always the beginning of a record, and the byte before it is kept. */
  get freed(): number {
    return Number(Atomics.load(this.#words, freed));
  }

  /** Main thread: whether somebody waits for news of converted lines. */
  set following(wanted: boolean) {
    this.#store(following, wanted ? 1n : 0n);
  }

  get following(): boolean {
    return Atomics.load(this.#words, following) === 1n;
  }

  /** Main thread: the beginning of the newest segment that it knows. */
  set known(base: number) {
    this.#store(announced, BigInt(base));
  }

  /** Worker: whether nobody can read from a segment any more that ends at `end`: the next one is known, and all readers are in it. */
  isPassed(end: number): boolean {
    return Number(Atomics.load(this.#words, announced)) >= end && Number(Atomics.load(this.#words, retained)) > end;
  }

  /** Worker: announces that bytes before `offset` go, as far as no reader needs them; returns how far they may. */
  free(offset: number): number {
    const before = this.freed;
    const target = Math.max(before, Math.min(offset, Number(Atomics.load(this.#words, retained))));
    this.#store(freed, BigInt(target));
    if (Number(Atomics.load(this.#words, retained)) >= target) return target;
    this.#store(freed, BigInt(before)); // a reader began in between
    return before;
  }

  #store(word: number, value: bigint): void {
    Atomics.store(this.#words, word, value);
  }
}
