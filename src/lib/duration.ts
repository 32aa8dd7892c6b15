/** A time span in words: `Less than a second`, `About a minute`, `3 hours`. Source: docker/go-units, HumanDuration. */
export function humanDuration(milliseconds: number): string {
  const seconds = Math.trunc(milliseconds / 1000);
  if (seconds < 1) return "Less than a second";
  if (seconds === 1) return "1 second";
  if (seconds < 60) return `${seconds} seconds`;
  const minutes = Math.trunc(milliseconds / 60_000);
  if (minutes === 1) return "About a minute";
  if (minutes < 60) return `${minutes} minutes`;
  const hours = Math.trunc(milliseconds / 3_600_000 + 0.5);
  if (hours === 1) return "About an hour";
  if (hours < 48) return `${hours} hours`;
  if (hours < 24 * 7 * 2) return `${Math.trunc(hours / 24)} days`;
  if (hours < 24 * 30 * 2) return `${Math.trunc(hours / 24 / 7)} weeks`;
  if (hours < 24 * 365 * 2) return `${Math.trunc(hours / 24 / 30)} months`;
  return `${Math.trunc(milliseconds / 3_600_000 / 24 / 365)} years`;
}

/** Milliseconds for which `humanDuration` of a growing span says no other word; never too many. */
export function humanDurationStays(milliseconds: number): number {
  const step = milliseconds < 60_000 ? 1000 : milliseconds < 3_600_000 ? 60_000 : 1_800_000;
  return step - (((milliseconds % step) + step) % step);
}

/** `1m30s`, `1.5s`, `300ms`: as Go prints a duration, down to microseconds. Source: Go, time.Duration.String. */
export function goDuration(milliseconds: number): string {
  if (milliseconds === 0) return "0s";
  if (milliseconds < 1) return `${Math.round(milliseconds * 1000)}µs`;
  if (milliseconds < 1000) return `${decimal(milliseconds)}ms`;
  const hours = Math.floor(milliseconds / 3_600_000);
  const minutes = Math.floor(milliseconds / 60_000) % 60;
  const seconds = `${decimal((milliseconds % 60_000) / 1000)}s`;
  if (hours > 0) return `${hours}h${minutes}m${seconds}`;
  return minutes > 0 ? `${minutes}m${seconds}` : seconds;
}

const decimal = (value: number): string => String(Number(value.toFixed(6)));

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
