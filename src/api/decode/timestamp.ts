import { EngineError } from "#lib/errors.ts";
import { parseDuration } from "#lib/duration.ts";
import { quote } from "./go-text.ts";
import { parseInteger } from "./query.ts";

const nanosecondsPerSecond = 1_000_000_000n;

/**
 * `since` and `until` of logs and events: Unix seconds, with a fraction or without (`1700000000.000000001`); clients have translated all
 * other notations. Digits after the ninth are cut off.
 * @returns nanoseconds since 1970; undefined for an empty or absent value
 * @throws {EngineError} `invalid` with Go's text
 */
export function parseUnixTime(value: string | null | undefined): bigint | undefined {
  if (!value) return undefined;
  const dot = value.indexOf(".");
  const seconds = parseInteger("ParseInt", dot < 0 ? value : value.slice(0, dot));
  if (dot < 0) return seconds * nanosecondsPerSecond;
  const text = value.slice(dot + 1);
  const fraction = parseInteger("ParseInt", text);
  const scale = 10n ** BigInt(Math.abs(9 - text.length));
  return seconds * nanosecondsPerSecond + (text.length <= 9 ? fraction * scale : fraction / scale);
}

/**
 * The filter `until` of prunes and image lists: a Go duration back from now (whole seconds), a date or time (without a zone: that of this
 * machine), or Unix seconds. Source: moby, api/types/time.
 * @param nowNano  nanoseconds since 1970
 * @returns nanoseconds since 1970
 * @throws {EngineError} `invalid` with dockerd's text
 */
export function parseTimeOrDuration(value: string, nowNano: bigint): bigint {
  const duration = value === "0" ? undefined : parseDuration(value);
  if (duration !== undefined) return floorSeconds(nowNano - duration);
  const layout = layoutOf(value);
  const fields = readLayout(value, layout);
  if (typeof fields !== "string") return toNano(fields);
  // Only what looks like a date is told what is wrong with the date.
  if (value.includes("-")) throw new EngineError("invalid", fields);
  try {
    return parseUnixTime(value) ?? fail(value);
  } catch {
    return fail(value); // the detail is about a notation that was perhaps not meant
  }
}

function fail(value: string): never {
  throw new EngineError("invalid", `failed to parse value as time or duration: ${quote(value)}`);
}

function floorSeconds(nano: bigint): bigint {
  return nano - (((nano % nanosecondsPerSecond) + nanosecondsPerSecond) % nanosecondsPerSecond);
}

/** Go's layout for a value, by the signs in it. */
function layoutOf(value: string): string {
  const isLocal = !/[zZ+]/.test(value) && value.split("-").length - 1 !== 3;
  const zone = isLocal ? "" : "Z07:00";
  if (value.includes(".")) return `2006-01-02T15:04:05.999999999${zone}`;
  if (!value.includes("T")) return `2006-01-02${zone}`;
  const colons = value.split(":").length - 1 - (!isLocal && !/[zZ]/.test(value) && value.includes(":") ? 1 : 0);
  const time = colons <= 0 ? "15" : colons === 1 ? "15:04" : "15:04:05";
  return `2006-01-02T${time}${zone}`;
}

interface TimeFields {
  year: number;
  month: number;
  day: number;
  hour: number;
  minute: number;
  second: number;
  nanosecond: number;
  /** Minutes east of UTC; absent: local time. */
  zone?: number;
}

/** Parts of a layout: how the value may read there, the field it fills, and the greatest value of that. */
const parts: readonly { readonly text: string; readonly pattern: RegExp; readonly field?: keyof TimeFields; readonly maximum?: number }[] =
  [
    { text: "2006", pattern: /^\d{4}/, field: "year" },
    { text: "01", pattern: /^\d{2}/, field: "month", maximum: 12 },
    { text: "02", pattern: /^\d{2}/, field: "day", maximum: 31 },
    { text: "15", pattern: /^\d{2}/, field: "hour", maximum: 23 },
    { text: "04", pattern: /^\d{2}/, field: "minute", maximum: 59 },
    { text: "05", pattern: /^\d{2}/, field: "second", maximum: 59 },
    { text: ".999999999", pattern: /^(?:[.,]\d+)?/, field: "nanosecond" },
    { text: "Z07:00", pattern: /^(?:Z|[+-]\d{2}:\d{2})/, field: "zone" },
  ];

/** The fields, or what Go says is wrong. */
function readLayout(value: string, layout: string): TimeFields | string {
  const fields: TimeFields = { year: 1970, month: 1, day: 1, hour: 0, minute: 0, second: 0, nanosecond: 0 };
  let rest = value;
  for (let at = 0; at < layout.length;) {
    const part = parts.find(({ text }) => layout.startsWith(text, at)) ?? literalPart(layout[at] ?? "");
    const text = part.pattern.exec(rest)?.[0];
    if (text === undefined) return `parsing time ${quote(value)} as ${quote(layout)}: cannot parse ${quote(rest)} as ${quote(part.text)}`;
    const number = part.field === undefined ? 0 : numberOf(part.field, text);
    if (part.field !== undefined) fields[part.field] = number;
    if (part.maximum !== undefined && (number > part.maximum || (number === 0 && part.maximum === 12)))
      return outOfRange(value, part.field);
    rest = rest.slice(text.length);
    at += part.text.length;
    // Go takes a fraction after the seconds also where the layout has none.
    const fraction = part.field === "second" && !layout.startsWith(".", at) ? (/^[.,]\d+/.exec(rest)?.[0] ?? "") : "";
    if (fraction) fields.nanosecond = numberOf("nanosecond", fraction);
    rest = rest.slice(fraction.length);
  }
  if (rest !== "") return `parsing time ${quote(value)}: extra text: ${quote(rest)}`;
  const daysInMonth = new Date(Date.UTC(fields.year, fields.month, 0)).getUTCDate();
  return fields.day < 1 || fields.day > daysInMonth ? outOfRange(value, "day") : fields;
}

const literalPart = (text: string) => ({ text, pattern: new RegExp(`^[${text}]`), field: undefined, maximum: undefined });
const outOfRange = (value: string, field = ""): string => `parsing time ${quote(value)}: ${field} out of range`;

function numberOf(field: keyof TimeFields, text: string): number {
  if (field === "nanosecond") return Number(text.slice(1, 10).padEnd(9, "0"));
  if (field !== "zone") return Number(text);
  if (text === "Z") return 0;
  const minutes = Number(text.slice(1, 3)) * 60 + Number(text.slice(4, 6));
  return text.startsWith("-") ? -minutes : minutes;
}

function toNano({ year, month, day, hour, minute, second, nanosecond, zone }: TimeFields): bigint {
  const milliseconds =
    zone === undefined
      ? new Date(year, month - 1, day, hour, minute, second).getTime()
      : Date.UTC(year, month - 1, day, hour, minute, second) - zone * 60_000;
  return BigInt(milliseconds) * 1_000_000n + BigInt(nanosecond);
}
