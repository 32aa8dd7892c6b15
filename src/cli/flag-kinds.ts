import { type Flag, parseBoolean } from "./flags.ts";
import { parseDurationNano, parseMemoryBytes } from "./units.ts";

interface Extra {
  readonly hidden?: boolean;
  readonly otherNames?: readonly string[];
  readonly deprecatedNames?: readonly string[];
  /** Replaces what help would show as the default. */
  readonly defaultText?: string;
}

type Short = string | undefined;

/** `--rm`, `--rm=false`. */
export function bool(short: Short, usage: string, extra: Extra & { readonly initially?: boolean } = {}): Flag<boolean> {
  const initially = extra.initially ?? false;
  return {
    kind: "",
    implied: "true",
    short,
    usage,
    ...(initially ? { defaultText: "true" } : {}),
    ...extra,
    initial: () => initially,
    set: parseBoolean,
  };
}

export function text(short: Short, usage: string, extra: Extra & { readonly initially?: string } = {}): Flag<string> {
  const initially = extra.initially ?? "";
  return {
    kind: "string",
    short,
    usage,
    ...(initially ? { defaultText: JSON.stringify(initially) } : {}),
    ...extra,
    initial: () => initially,
    set: (value) => value,
  };
}

/** Go's `int`: decimal, or with 0x, 0o, 0b. */
export function int(short: Short, usage: string, extra: Extra & { readonly initially?: number } = {}): Flag<number> {
  const initially = extra.initially ?? 0;
  return {
    kind: "int",
    short,
    usage,
    ...(initially === 0 ? {} : { defaultText: String(initially) }),
    ...extra,
    initial: () => initially,
    set: (value) => parseInteger(value, { function: "ParseInt", minimum: -(2n ** 63n), maximum: 2n ** 63n - 1n }),
  };
}

export function uint16(short: Short, usage: string, extra: Extra = {}): Flag<number> {
  return {
    kind: "uint16",
    short,
    usage,
    ...extra,
    initial: () => 0,
    set: (value) => parseInteger(value, { function: "ParseUint", minimum: 0n, maximum: 65535n }),
  };
}

function parseInteger(value: string, range: { function: string; minimum: bigint; maximum: bigint }): number {
  const problem = (what: string) => new Error(`strconv.${range.function}: parsing ${JSON.stringify(value)}: ${what}`);
  const match = /^([+-]?)(0[xX][0-9a-fA-F]+|0[oO]?[0-7]+|0[bB][01]+|[1-9]\d*|0)$/.exec(value.replace(/(?<=\w)_(?=\w)/g, ""));
  const digits = match?.[2];
  if (!digits || (match[1] !== "" && range.minimum === 0n)) throw problem("invalid syntax");
  const magnitude = BigInt(/^0[0-7]+$/.test(digits) ? `0o${digits.slice(1)}` : digits);
  const number = match[1] === "-" ? -magnitude : magnitude;
  if (number < range.minimum || number > range.maximum) throw problem("value out of range");
  return Number(number);
}

/** A flag that may be repeated; each value is checked, and may be rewritten, by `validate`. */
export function list(
  short: Short,
  usage: string,
  validate: (value: string) => string = (value) => value,
  extra: Extra & { readonly kind?: string } = {},
): Flag<readonly string[]> {
  return {
    kind: "list",
    short,
    usage,
    ...extra,
    initial: () => [],
    set: (value, previous) => [...previous, validate(value)],
  };
}

/** pflag's StringSlice: may be repeated, and holds several values with commas between them. */
export function strings(short: Short, usage: string, extra: Extra = {}): Flag<readonly string[]> {
  return {
    kind: "strings",
    short,
    usage,
    ...extra,
    initial: () => [],
    set: (value, previous) => (value === "" ? previous : [...previous, ...parseCsv(value)]),
  };
}

/** `key=value`, repeated; a later value of the same key counts. In the order of their keys. */
export function map(
  short: Short,
  usage: string,
  validate: (value: string) => string = (value) => value,
  extra: Extra = {},
): Flag<Readonly<Record<string, string>>> {
  return {
    kind: "map",
    short,
    usage,
    defaultText: "map[]",
    ...extra,
    initial: () => ({}),
    set: (value, previous) => {
      const [key, entry] = cut(validate(value), "=");
      return sorted({ ...previous, [key]: entry ?? "" });
    },
  };
}

/** A size in bytes with a unit of base 1024: `512m`, `1.5GiB`. */
export function bytes(short: Short, usage: string, extra: Extra & { readonly allowMinusOne?: boolean } = {}): Flag<number> {
  return {
    kind: "bytes",
    short,
    usage,
    ...extra,
    initial: () => 0,
    set: (value) => (extra.allowMinusOne && value === "-1" ? -1 : parseMemoryBytes(value)),
  };
}

/** A duration with units as Go writes them: `1m30s`. In nanoseconds, as the API wants them. */
export function duration(short: Short, usage: string, extra: Extra = {}): Flag<number> {
  return { kind: "duration", short, usage, ...extra, initial: () => 0, set: (value) => Number(parseDurationNano(value)) };
}

/** A filter of a list: `--filter key=value`. Values of one key are alternatives. */
export function filters(short: Short, usage: string): Flag<Readonly<Record<string, readonly string[]>>> {
  return {
    kind: "filter",
    short,
    usage,
    initial: () => ({}),
    set: (value, previous) => {
      if (value === "") return previous;
      const [key, entry] = cut(value, "=");
      if (entry === undefined) throw new Error("bad format of filter (expected name=value)");
      const name = key.trim().toLowerCase();
      const held = previous[name] ?? [];
      return { ...previous, [name]: held.includes(entry.trim()) ? held : [...held, entry.trim()] };
    },
  };
}

/** In the order of the keys: Go's clients send maps so, and daemons show them as they came. */
export function sorted<T>(entries: Readonly<Record<string, T>>): Record<string, T> {
  return Object.fromEntries(Object.entries(entries).toSorted(([one], [other]) => (one < other ? -1 : 1)));
}

/** A value of its own type; see the options of `run`. */
export function custom<T>(flag: Flag<T>): Flag<T> {
  return flag;
}

/** The text before and after the first `separator`; the second is undefined when there is none. */
export function cut(value: string, separator: string): [string, string | undefined] {
  const at = value.indexOf(separator);
  return at < 0 ? [value, undefined] : [value.slice(0, at), value.slice(at + separator.length)];
}

/** One record of CSV, with Go's rules for quotes. @throws {Error} with Go's text. Source: RFC 4180, Go's encoding/csv. */
export function parseCsv(value: string): string[] {
  const fields: string[] = [];
  let at = 0;
  for (;;) {
    if (value[at] === '"') {
      let field = "";
      for (at++; ; at++) {
        if (at >= value.length)
          throw new Error(`parse error on line 1, column ${value.length + 1}: extraneous or missing " in quoted-field`);
        if (value[at] !== '"') field += value[at];
        else if (value[at + 1] === '"') field += value[at++];
        else break;
      }
      at++;
      if (at < value.length && value[at] !== ",")
        throw new Error(`parse error on line 1, column ${at + 1}: extraneous or missing " in quoted-field`);
      fields.push(field);
    } else {
      const comma = value.indexOf(",", at);
      const end = comma < 0 ? value.length : comma;
      const field = value.slice(at, end);
      const quote = field.indexOf('"');
      if (quote >= 0) throw new Error(`parse error on line 1, column ${at + quote + 1}: bare " in non-quoted-field`);
      fields.push(field);
      at = end;
    }
    if (at >= value.length) return fields;
    at++; // the comma
  }
}
