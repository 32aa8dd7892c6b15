import { EngineError } from "#lib/errors.ts";
import { quote } from "./go-text.ts";

/**
 * The parameters of a query as Go's net/url reads them; a `+` is a space, and `;` separates nothing.
 * @throws {EngineError} `invalid` for a semicolon and for a `%` without two hex digits
 */
export function parseQuery(query: string): URLSearchParams {
  // Go looks at the pairs one by one and reports the first fault.
  for (const pair of query.split("&")) {
    if (pair.includes(";")) throw new EngineError("invalid", "invalid semicolon separator in query");
    const escape = /%(?![0-9a-fA-F]{2}).{0,2}/s.exec(pair)?.[0];
    if (escape !== undefined) throw new EngineError("invalid", `invalid URL escape ${quote(escape)}`);
  }
  return new URLSearchParams(query);
}

/**
 * A flag: empty, `0`, `no`, `false` and `none` in any case are false, everything else is true.
 * @param otherwise  when the parameter is not there at all
 */
export function queryBoolean(query: URLSearchParams, name: string, otherwise = false): boolean {
  const value = query.get(name);
  if (value === null) return otherwise;
  return !["", "0", "no", "false", "none"].includes(value.trim().toLowerCase());
}

/** A text; undefined when it is empty or not there, which is the same to dockerd. */
export function queryText(query: URLSearchParams, name: string): string | undefined {
  return query.get(name) || undefined;
}

/**
 * A number such as `limit` and `t` (seconds); undefined when it is empty or not there. Beyond 2^53 it is the nearest double.
 * @throws {EngineError} `invalid` with Go's text (dockerd answers 500 with the same)
 */
export function queryInteger(query: URLSearchParams, name: string): number | undefined {
  const value = queryText(query, name);
  return value === undefined ? undefined : Number(parseInteger("Atoi", value));
}

/**
 * Height and width of a terminal, both due.
 * @throws {EngineError} `invalid`, as dockerd words it
 */
export function queryTerminalSize(query: URLSearchParams): { readonly height: number; readonly width: number } {
  return { height: dimension("height", query.get("h") ?? ""), width: dimension("width", query.get("w") ?? "") };
}

function dimension(what: string, value: string): number {
  const fault = integerFault(value, 0n, 2n ** 32n - 1n);
  if (fault === undefined) return Number(value);
  throw new EngineError("invalid", `invalid resize ${what} ${quote(value)}: ${fault}`);
}

/**
 * The version of a swarm object that an update refers to.
 * @param noun  `service`, `node`, `swarm`, `secret`, `config`
 */
export function queryVersion(query: URLSearchParams, noun: string): bigint {
  const value = query.get("version") ?? "";
  const fault = /^\d+$/.test(value) ? integerFault(value, 0n, 2n ** 64n - 1n) : "invalid syntax";
  if (fault === undefined) return BigInt(value);
  throw new EngineError("invalid", `invalid ${noun} version '${value}': strconv.ParseUint: parsing ${quote(value)}: ${fault}`);
}

/**
 * A decimal number of 64 bits, with a sign or without.
 * @param caller  the function of Go's strconv that its text names
 * @throws {EngineError} `invalid`: `strconv.Atoi: parsing "x": invalid syntax`
 */
export function parseInteger(caller: "Atoi" | "ParseInt", value: string): bigint {
  const fault = integerFault(value, -(2n ** 63n), 2n ** 63n - 1n);
  if (fault !== undefined) throw new EngineError("invalid", `strconv.${caller}: parsing ${quote(value)}: ${fault}`);
  return BigInt(value.replace("+", ""));
}

function integerFault(value: string, minimum: bigint, maximum: bigint): string | undefined {
  const digits = /^[+-]?0*(\d+)$/.exec(value)?.[1];
  if (digits === undefined) return "invalid syntax";
  const isWithin = digits.length <= 20 && BigInt(value.replace("+", "")) >= minimum && BigInt(value.replace("+", "")) <= maximum;
  return isWithin ? undefined : "value out of range";
}
