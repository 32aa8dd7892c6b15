import { EngineError } from "#lib/errors.ts";

/// Option values as Go reads them, with its texts.

/** Go's strconv.ParseBool; undefined when it is none. */
export function readBoolean(text: string): boolean | undefined {
  if (/^(1|t|T|true|TRUE|True)$/.test(text)) return true;
  return /^(0|f|F|false|FALSE|False)$/.test(text) ? false : undefined;
}

/** @throws {EngineError} `invalid` */
export function parseBoolean(text: string): boolean {
  const value = readBoolean(text);
  if (value === undefined) throw numberError("ParseBool", text, "invalid syntax");
  return value;
}

/** Go's strconv.Atoi. @throws {EngineError} `invalid` */
export function parseInteger(text: string): number {
  if (!/^[+-]?\d+$/.test(text)) throw numberError("Atoi", text, "invalid syntax");
  const value = Number(text);
  if (Math.abs(value) >= 2 ** 63) throw numberError("Atoi", text, "value out of range");
  return value;
}

/** Go's strconv.ParseUint with 32 bits. @throws {EngineError} `invalid` */
export function parseUnsigned32(text: string): number {
  if (!/^\d+$/.test(text)) throw numberError("ParseUint", text, "invalid syntax");
  const value = Number(text);
  if (value >= 2 ** 32) throw numberError("ParseUint", text, "value out of range");
  return value;
}

function numberError(name: string, text: string, problem: string): EngineError {
  return new EngineError("invalid", `strconv.${name}: parsing ${JSON.stringify(text)}: ${problem}`);
}

const unitMilliseconds: Readonly<Record<string, number>> = { ns: 1e-6, us: 1e-3, µs: 1e-3, μs: 1e-3, ms: 1, s: 1e3, m: 6e4, h: 36e5 };

/** Milliseconds of a span such as `1h2m0.5s`. @throws {EngineError} `invalid`. Source: Go, time.ParseDuration. */
export function parseDuration(text: string): number {
  const match = /^([+-]?)(.+)$/.exec(text);
  const body = match?.[2] ?? "";
  if (body === "0") return 0;
  if (/^[\d.]+$/.test(body) && /\d/.test(body)) throw new EngineError("invalid", `time: missing unit in duration ${JSON.stringify(text)}`);
  if (!/^((\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h))+$/.test(body))
    throw new EngineError("invalid", `time: invalid duration ${JSON.stringify(text)}`);
  let milliseconds = 0;
  for (const [, count, unit] of body.matchAll(/([\d.]+)(ns|us|µs|μs|ms|s|m|h)/g))
    milliseconds += Number(count) * (unitMilliseconds[unit ?? ""] ?? 0);
  return match?.[1] === "-" ? -milliseconds : milliseconds;
}
