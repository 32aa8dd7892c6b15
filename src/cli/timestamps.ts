import { parseDurationNano } from "./units.ts";

/**
 * What `--since` and `--until` accept, as the API wants it: a Unix time with nanoseconds after the point. Accepted are Unix times, dates, times
 * with or without zone (local then) and durations back from now; anything else is handed to the daemon as it is.
 */
export function unixTime(value: string, nowMilliseconds: number): string | undefined {
  if (value === "") return undefined;
  if (/^\d+(\.\d+)?$/.test(value)) return value.includes(".") ? value : value;
  try {
    const nano = BigInt(nowMilliseconds) * 1_000_000n - parseDurationNano(value);
    return String(nano / 1_000_000_000n); // whole seconds, as Docker's client sends them
  } catch {
    return parseTime(value);
  }
}

function parseTime(value: string): string | undefined {
  const match = /^(\d{4})-(\d\d)-(\d\d)(?:T(\d\d)(?::(\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?)?)?(Z|[+-]\d\d:?\d\d)?$/.exec(value);
  if (!match) return undefined;
  const [, year, month, day, hour = "00", minute = "00", second = "00", fraction = "", zone = ""] = match;
  const milliseconds = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}${zone}`);
  return Number.isNaN(milliseconds) ? undefined : asSeconds(BigInt(milliseconds) * 1_000_000n + BigInt(fraction.padEnd(9, "0")));
}

function asSeconds(nano: bigint): string {
  return `${nano / 1_000_000_000n}.${(nano % 1_000_000_000n).toString().padStart(9, "0")}`;
}
