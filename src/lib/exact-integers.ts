/**
 * Integers of 64 bits in values of JSON. A field is a `number`, also where the sender wrote more digits than a double holds: the number is
 * then the nearest double (so comparisons and limits work), and the object that has the field also has `$exact`, field → digits. It is
 * plain data: it survives spreading, structured cloning and storage as JSON. Digits that no longer belong to the number beside them,
 * because a copy of the object got another one, are ignored.
 */
export const exactKey = "$exact";

/** The integer in `container[field]` with all its digits; undefined when there is no integer. */
export function exactInteger(container: object, field: string): bigint | undefined {
  const value: unknown = Reflect.get(container, field);
  if (typeof value !== "number" || !Number.isInteger(value)) return undefined;
  const digits = digitsOf(container)?.[field];
  return digits !== undefined && Number(digits) === value ? BigInt(digits) : BigInt(value);
}

/** As `JSON.stringify`, with every integer as it was sent, and without `$exact`. */
export function stringifyExact(value: unknown): string {
  const text = JSON.stringify(value);
  // Nearly every value has none, and the native path is several times faster.
  return text.includes(`"${exactKey}":`) ? JSON.stringify(value, (_key, part: unknown) => restoreDigits(part)) : text;
}

function restoreDigits(part: unknown): unknown {
  const digits = typeof part === "object" && part !== null ? digitsOf(part) : undefined;
  if (!digits) return part;
  const restored: Record<string, unknown> = Object.assign(Object.create(null), part);
  delete restored[exactKey];
  for (const [field, text] of Object.entries(digits)) {
    if (Number(text) === restored[field]) restored[field] = rawJson(text);
  }
  return restored;
}

/** Nothing for a map of a user that has a key of this name: its value is no object of digits. */
function digitsOf(container: object): Readonly<Record<string, string>> | undefined {
  const digits: unknown = Object.hasOwn(container, exactKey) ? Reflect.get(container, exactKey) : undefined;
  if (typeof digits !== "object" || digits === null) return undefined;
  const entries = Object.values(digits);
  const isOurs = entries.length > 0 && entries.every((text) => typeof text === "string" && /^-?\d{16,20}$/.test(text));
  return isOurs ? (digits as Readonly<Record<string, string>>) : undefined;
}

// ES2026; the types of the standard library do not have it yet.
const { rawJSON: rawJson } = JSON as unknown as { readonly rawJSON: (text: string) => unknown };
