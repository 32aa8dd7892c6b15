/** One connection that is as fast as this needs no other: disks and hashes are not faster by much. */
const enoughBytesPerSecond = 150e6;
/** For so long several connections are watched before they are judged. */
const windowMilliseconds = 2000;
/** Several connections with less than this part of what one had: the registry, or the way to it, does not like them. */
const slowerFactor = 0.7;

export type PaceDecision = "more" | "one" | "stay";

export interface PaceSample {
  /** On a clock of intervals. */
  readonly milliseconds: number;
  /** So far. */
  readonly receivedBytes: number;
}

/** Decides how many connections a download has, by how fast they are together. Pure: it is told the time. */
export class Pace {
  #since: PaceSample | undefined;
  /** The best that one connection gave. */
  #aloneBytesPerSecond = 0;
  #staysAlone = false;

  /** To be asked a few times per second. */
  decide(sample: PaceSample, connections: number): PaceDecision {
    const since = this.#since;
    if (sample.receivedBytes === 0 || this.#staysAlone) return "stay";
    if (!since) return this.#begin(sample, "stay");
    const elapsed = sample.milliseconds - since.milliseconds;
    if (connections > 1 && elapsed < windowMilliseconds) return "more";
    const rate = ((sample.receivedBytes - since.receivedBytes) * 1000) / Math.max(1, elapsed);
    if (connections === 1) {
      this.#aloneBytesPerSecond = Math.max(this.#aloneBytesPerSecond, rate);
      return this.#begin(sample, rate < enoughBytesPerSecond ? "more" : "stay");
    }
    if (rate >= this.#aloneBytesPerSecond * slowerFactor) return this.#begin(sample, "more");
    this.#staysAlone = true;
    return "one";
  }

  /** There is one connection more: what was before says nothing about it. */
  changed(sample: PaceSample): void {
    this.#since = sample;
  }

  #begin(sample: PaceSample, decision: PaceDecision): PaceDecision {
    this.#since = sample;
    return decision;
  }
}
