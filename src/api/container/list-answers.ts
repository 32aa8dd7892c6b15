interface Answer {
  readonly body: Uint8Array;
  /** Nanoseconds since 1970 until which its words for time spans are those of a new answer. */
  readonly untilNano: bigint;
}

const maximumAnswers = 16;

/**
 * Lists as they were answered, for as long as a new answer would be the same to the byte: until any record changes, or a time span in
 * it has another word. Dashboards and scripts ask again and again, and to make a list of hundreds takes a millisecond.
 */
export class ListAnswers {
  readonly #answers = new Map<string, Answer>();
  #revision = -1;

  /** @param revision  of the records */
  find(key: string, revision: number, now: bigint): Uint8Array | undefined {
    if (revision !== this.#revision) return undefined;
    const answer = this.#answers.get(key);
    return answer && now < answer.untilNano ? answer.body : undefined;
  }

  keep(key: string, revision: number, answer: Answer): void {
    if (revision !== this.#revision || this.#answers.size >= maximumAnswers) this.#answers.clear();
    this.#revision = revision;
    this.#answers.set(key, answer);
  }
}
