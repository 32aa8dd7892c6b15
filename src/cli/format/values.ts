import { exponentOf } from "./float.ts";

interface RowExtras {
  readonly methods?: Readonly<Record<string, (...args: readonly unknown[]) => unknown>>;
  /** Fields in the order they were given in, as Go prints a struct; else in the order of their names. */
  readonly isStruct?: boolean;
  /** What `json` writes, when it is not the fields under their names. */
  readonly json?: () => readonly (readonly [string, unknown])[];
}

/**
 * What a template works on: strings, numbers, booleans, null, arrays, plain objects (Go's maps), and rows (Go's structs). `undefined` is a value
 * that is not there.
 */
export class Row {
  /** Go's name of the type, as errors show it. */
  readonly typeName: string;
  readonly #fields: Readonly<Record<string, () => unknown>>;
  readonly #extras: RowExtras;

  constructor(typeName: string, fields: Readonly<Record<string, () => unknown>>, extras: RowExtras = {}) {
    this.typeName = typeName;
    this.#fields = fields;
    this.#extras = extras;
  }

  has(name: string): boolean {
    return Object.hasOwn(this.#fields, name);
  }

  get(name: string): unknown {
    return this.#fields[name]?.();
  }

  method(name: string): ((...args: readonly unknown[]) => unknown) | undefined {
    const methods = this.#extras.methods ?? {};
    return Object.hasOwn(methods, name) ? methods[name] : undefined;
  }

  get isStruct(): boolean {
    return this.#extras.isStruct ?? false;
  }

  /** Names and values of all fields. */
  entries(): readonly (readonly [string, unknown])[] {
    const names = Object.keys(this.#fields);
    return (this.isStruct ? names : names.toSorted()).map((name) => [name, this.get(name)]);
  }

  /** Keys and values of its JSON. */
  jsonEntries(): readonly (readonly [string, unknown])[] {
    return this.#extras.json?.() ?? this.entries();
  }
}

/** A value that prints as one text and is another in JSON: a time, a duration. */
export class Scalar {
  readonly shown: string;
  readonly json: unknown;
  constructor(shown: string, json: unknown) {
    this.shown = shown;
    this.json = json;
  }
}

export function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Row) && !(value instanceof Scalar);
}

/** Go's notion of true: not empty, not zero. */
export function isTrue(value: unknown): boolean {
  if (Array.isArray(value)) return value.length > 0;
  if (isMap(value)) return Object.keys(value).length > 0;
  return Boolean(value instanceof Scalar ? value.json : value);
}

/** What `print` writes: Go's `%v`. */
export function display(value: unknown): string {
  if (value === undefined) return "<no value>";
  if (value === null) return "<nil>";
  if (typeof value === "string") return value;
  if (typeof value === "number") return displayNumber(value);
  if (typeof value === "boolean" || typeof value === "bigint") return String(value);
  if (Array.isArray(value)) return `[${value.map(display).join(" ")}]`;
  if (value instanceof Scalar) return value.shown;
  if (value instanceof Row) {
    return `{${value
      .entries()
      .map(([, field]) => display(field))
      .join(" ")}}`;
  }
  const entries = Object.entries(value).toSorted(([one], [other]) => (one < other ? -1 : 1));
  return `map[${entries.map(([key, entry]) => `${key}:${display(entry)}`).join(" ")}]`;
}

export function displayNumber(value: number): string {
  if (Number.isInteger(value) && Math.abs(value) < 1e21) return String(value);
  const [mantissa = "", exponent = "0"] = value.toExponential().split("e");
  return Number(exponent) < -4 || Number(exponent) >= 21 ? `${mantissa}e${exponentOf(Number(exponent))}` : String(value);
}

/** Go's json.Marshal: keys of maps in order, those of structs as they were declared. `escapeHtml` writes `<`, `>` and `&` as escapes. */
export function toJson(value: unknown, options: { readonly escapeHtml: boolean }): string {
  const text = encode(value).replace(/[\u2028\u2029]/g, (letter) => `\\u${letter.charCodeAt(0).toString(16)}`);
  return options.escapeHtml ? withoutHtml(text) : text;
}

const withoutHtml = (text: string): string => text.replace(/[<>&]/g, (letter) => `\\u00${letter.charCodeAt(0).toString(16)}`);

function encode(value: unknown): string {
  if (value instanceof Scalar) return encode(value.json);
  if (typeof value === "bigint") return String(value);
  if (value instanceof Row) {
    const text = encodeEntries(value.jsonEntries());
    return value.isStruct ? text : withoutHtml(text); // rows of lists marshal themselves, and always escape
  }
  if (typeof value !== "object" || value === null) return JSON.stringify(value ?? null);
  if ("toJSON" in value) return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(encode).join(",")}]`;
  return encodeEntries(Object.entries(value).toSorted(([one], [other]) => (one < other ? -1 : 1)));
}

const encodeEntries = (entries: readonly (readonly [string, unknown])[]): string =>
  `{${entries.map(([key, entry]) => `${JSON.stringify(key)}:${encode(entry)}`).join(",")}}`;

/** Go's strconv.Quote: double quotes, escapes for what cannot be printed. */
export function quote(text: string): string {
  const named: Readonly<Record<string, string>> = {
    "\n": "\\n",
    "\t": "\\t",
    "\r": "\\r",
    "\u0007": "\\a",
    "\b": "\\b",
    "\f": "\\f",
    "\v": "\\v",
    '"': '\\"',
    "\\": "\\\\",
  };
  // eslint-disable-next-line no-control-regex -- control characters are what is looked for
  const escaped = text.replace(/["\\\u0000-\u001f\u007f-\u00a0\u00ad\u200b-\u200f\u2028-\u202f\u2060-\u2069\ufeff]/g, (letter) => {
    const code = letter.charCodeAt(0);
    return named[letter] ?? (code < 0x80 ? `\\x${code.toString(16).padStart(2, "0")}` : `\\u${code.toString(16).padStart(4, "0")}`);
  });
  return `"${escaped}"`;
}
