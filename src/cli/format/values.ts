import { exponentOf } from "./float.ts";

/**
 * What a template works on: strings, numbers, booleans, null, arrays, plain objects (Go's maps), and rows (Go's structs). `undefined` is a value
 * that is not there.
 */
export class Row {
  /** Go's name of the type, as errors show it. */
  readonly typeName: string;
  readonly #fields: Readonly<Record<string, () => unknown>>;
  readonly #methods: Readonly<Record<string, (...args: readonly unknown[]) => unknown>>;
  /** What `json` prints instead of the fields: the daemon's own text. */
  readonly json: string | undefined;

  constructor(
    typeName: string,
    fields: Readonly<Record<string, () => unknown>>,
    methods: Readonly<Record<string, (...args: readonly unknown[]) => unknown>> = {},
    json?: string,
  ) {
    this.json = json;
    this.typeName = typeName;
    this.#fields = fields;
    this.#methods = methods;
  }

  has(name: string): boolean {
    return Object.hasOwn(this.#fields, name);
  }

  get(name: string): unknown {
    return this.#fields[name]?.();
  }

  method(name: string): ((...args: readonly unknown[]) => unknown) | undefined {
    return Object.hasOwn(this.#methods, name) ? this.#methods[name] : undefined;
  }

  /** All fields, in the order of their names, as `--format json` prints them. */
  toJSON(): Record<string, unknown> {
    return Object.fromEntries(
      Object.keys(this.#fields)
        .toSorted()
        .map((name) => [name, this.get(name)]),
    );
  }
}

export function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Row);
}

/** Go's notion of true: not empty, not zero. */
export function isTrue(value: unknown): boolean {
  if (Array.isArray(value)) return value.length > 0;
  if (isMap(value)) return Object.keys(value).length > 0;
  return Boolean(value);
}

/** What `print` writes: Go's `%v`. */
export function display(value: unknown): string {
  if (value === undefined) return "<no value>";
  if (value === null) return "<nil>";
  if (typeof value === "string") return value;
  if (typeof value === "number") return displayNumber(value);
  if (typeof value === "boolean" || typeof value === "bigint") return String(value);
  if (Array.isArray(value)) return `[${value.map(display).join(" ")}]`;
  if (value instanceof Row) return `{${Object.values(value.toJSON()).map(display).join(" ")}}`;
  const entries = Object.entries(value).toSorted(([one], [other]) => (one < other ? -1 : 1));
  return `map[${entries.map(([key, entry]) => `${key}:${display(entry)}`).join(" ")}]`;
}

export function displayNumber(value: number): string {
  if (Number.isInteger(value) && Math.abs(value) < 1e21) return String(value);
  const [mantissa = "", exponent = "0"] = value.toExponential().split("e");
  return Number(exponent) < -4 || Number(exponent) >= 21 ? `${mantissa}e${exponentOf(Number(exponent))}` : String(value);
}

/** Go's json.Marshal: `escapeHtml` writes `<`, `>` and `&` as escapes. */
export function toJson(value: unknown, options: { readonly escapeHtml: boolean }): string {
  if (value instanceof Row && value.json !== undefined) return value.json;
  if (typeof value === "bigint") return String(value);
  const text = JSON.stringify(value ?? null).replace(/[\u2028\u2029]/g, (letter) => `\\u${letter.charCodeAt(0).toString(16)}`);
  if (!options.escapeHtml) return text;
  return text.replace(/[<>&]/g, (letter) => `\\u00${letter.charCodeAt(0).toString(16)}`);
}

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
