/** Nanoseconds of Go's units. */
const units: Readonly<Record<string, bigint>> = {
  ns: 1n,
  us: 1_000n,
  µs: 1_000n,
  μs: 1_000n,
  ms: 1_000_000n,
  s: 1_000_000_000n,
  m: 60_000_000_000n,
  h: 3_600_000_000_000n,
};
const maximum = 2n ** 63n - 1n;

/**
 * A duration as Go writes it: `1h30m`, `-1.5s`, `100ms`, `0`.
 * @returns nanoseconds; undefined when it is none, or does not fit 64 bits
 */
export function parseDuration(text: string): bigint | undefined {
  const [, sign, body] = /^([+-]?)((?:(?:\d+\.?\d*|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))+|0)$/.exec(text) ?? [];
  if (body === undefined) return undefined;
  let total = 0n;
  for (const [, whole = "", fraction = "", unit = ""] of body.matchAll(/(\d*)\.?(\d*)(ns|us|µs|μs|ms|s|m|h)/g)) {
    // Twenty digits are past the range whatever the unit; a fraction has no use beyond the nanosecond of an hour.
    if (whole.length > 20) return undefined;
    const nanoseconds = units[unit] ?? 0n;
    const digits = fraction.slice(0, 18);
    total += BigInt(whole || "0") * nanoseconds + (BigInt(digits || "0") * nanoseconds) / 10n ** BigInt(digits.length);
  }
  return total > maximum ? undefined : sign === "-" ? -total : total;
}
