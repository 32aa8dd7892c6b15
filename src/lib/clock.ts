/** Wall time with nanoseconds, and monotonic time for intervals (steps of the wall clock must break no timer). */
export interface Clock {
  /** Nanoseconds since 1970, UTC. */
  nowNano(): bigint;
  /** Milliseconds from an arbitrary origin, never going back. */
  monotonic(): number;
}

let lastNano = 0n;

export const systemClock: Clock = {
  nowNano(): bigint {
    // performance.timeOrigin does not follow steps of the clock; Date does, but has milliseconds only: the fraction comes from the monotonic clock.
    const milliseconds = Date.now();
    const fraction = BigInt(Math.floor((performance.now() % 1) * 1e6));
    let nano = BigInt(milliseconds) * 1_000_000n + fraction;
    if (nano <= lastNano && lastNano - nano < 1_000_000n) nano = lastNano + 1n; // two events in one moment keep their order
    lastNano = nano;
    return nano;
  },
  monotonic: () => performance.now(),
};

/** The zero time of Go, which Docker's clients read as "never". */
export const zeroTime = "0001-01-01T00:00:00Z";

/** RFC 3339 with up to nine digits and no trailing zeros, as Go's RFC3339Nano. */
export function formatTimeNano(nano: bigint): string {
  const seconds = nano / 1_000_000_000n;
  const fraction = (nano % 1_000_000_000n).toString().padStart(9, "0").replace(/0+$/, "");
  const base = new Date(Number(seconds) * 1000).toISOString().slice(0, 19);
  return fraction ? `${base}.${fraction}Z` : `${base}Z`;
}

/** Reads RFC 3339 with any number of fraction digits into nanoseconds since 1970; undefined when it is no time. */
export function parseTimeNano(text: string): bigint | undefined {
  const match = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9})\d*)?(Z|[+-]\d\d:\d\d)$/.exec(text);
  if (!match) return undefined;
  const milliseconds = Date.parse(`${match[1]}${match[3]}`);
  if (Number.isNaN(milliseconds)) return undefined;
  return BigInt(milliseconds) * 1_000_000n + BigInt((match[2] ?? "").padEnd(9, "0"));
}
