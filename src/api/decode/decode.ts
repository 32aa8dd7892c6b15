import { EngineError } from "#lib/errors.ts";
import { exactKey } from "#lib/exact-integers.ts";
import { sortKeys } from "#lib/sort-keys.ts";
import { base64Fault } from "./base64.ts";
import { type Inputs, inputs } from "./generated/schema.ts";
import { quoteCharacterAt } from "./go-text.ts";
import { EndOfJson, JsonError, scanString, scanValue, skipSpace } from "./scan.ts";
import { foldName, type Shape, shapeOf, type StructShape } from "./shape.ts";

/** A client gets to see at most this much of its own input in a message. */
const maximumMessage = 4096;

type Fields = Record<string, unknown>;

/**
 * Reads JSON as dockerd reads it (Go's encoding/json into the struct of the operation), and nothing else into the value:
 * - names of fields in any case, the exact one first; unknown ones are left out; of several the last wins, and objects are merged
 * - null, and what is not there, is absent
 * - a command (`Cmd`, `Entrypoint`, `Shell`, `CapAdd`) may be a string or a list
 * - integers keep all their digits (`#lib/exact-integers.ts`), and are refused with a fraction, an exponent or out of range
 * - `[]byte` stays base64 text, and is checked
 * Objects and maps have no prototype: `__proto__` and `constructor` are names as any other.
 *
 * The text must be one JSON value; dockerd ignores `}` and `]` after it, which is refused here.
 * @param prefix  comes before the message: `invalid JSON: `
 * @throws {EngineError} `invalid` with Go's text (1.27; older ones word paths of fields differently)
 */
export function decodeJson<Name extends keyof Inputs>(name: Name, text: string | Uint8Array, prefix = ""): Inputs[Name] {
  const bytes = typeof text === "string" ? Buffer.from(text) : Buffer.from(text.buffer, text.byteOffset, text.byteLength);
  try {
    const begin = skipSpace(bytes, 0);
    const end = skipSpace(bytes, scanValue(bytes, begin));
    // What is wrong with the value is said before what follows it, as by Go's decoder.
    const value = new Decoder(bytes, begin, rootName(inputs[name])).decode(shapeOf(inputs[name]), undefined);
    if (end < bytes.length) throw new EngineError("invalid", "unexpected content after JSON");
    return (value ?? zeroOf(shapeOf(inputs[name]))) as Inputs[Name]; // the schema's shape is generated together with the type
  } catch (error) {
    if (!(error instanceof JsonError)) throw error;
    throw new EngineError("invalid", prefix + clip(error.message), { cause: error });
  }
}

/**
 * As {@link decodeJson}, where dockerd has the whole text at hand (Go's `json.Unmarshal`): a parameter of a query. Its faults are told in other
 * words then.
 */
export function unmarshalJson<Name extends keyof Inputs>(name: Name, text: string, prefix = ""): Inputs[Name] {
  const bytes = Buffer.from(text);
  const refuse = (message: string, cause?: unknown): never => {
    throw new EngineError("invalid", prefix + clip(message), { cause });
  };
  try {
    const end = skipSpace(bytes, scanValue(bytes, skipSpace(bytes, 0)));
    if (end < bytes.length) refuse(`invalid character ${quoteCharacterAt(bytes, end)} after top-level value`);
  } catch (error) {
    if (error instanceof EndOfJson) refuse("unexpected end of JSON input", error);
    if (!(error instanceof JsonError)) throw error;
  }
  return decodeJson(name, text, prefix);
}

/** What an operation gets when nothing was sent. */
export function emptyValue<Name extends keyof Inputs>(name: Name): Inputs[Name] {
  return zeroOf(shapeOf(inputs[name])) as Inputs[Name];
}

/** The name that Go's error texts begin a path with: that of the outermost type, when it has one. */
const rootName = (go: string): string => /^\w+\.(\w+)$/.exec(go)?.[1] ?? "";

const clip = (message: string): string => (message.length > maximumMessage ? `${message.slice(0, maximumMessage)}…` : message);

/** What Go has for a null within a list or a map. */
function zeroOf(shape: Shape): unknown {
  switch (shape.kind) {
    case "string":
    case "bytes":
      return "";
    case "boolean":
      return false;
    case "integer":
    case "float":
      return 0;
    case "list":
    case "command":
      return [];
    case "array":
      return Array.from({ length: shape.length }, () => zeroOf(shape.item));
    case "pointer":
      return zeroOf(shape.to);
    default:
      return Object.create(null) as Fields;
  }
}

/** Null in a map says "no value" where Go has a pointer to a scalar or a list; an object is as good as an empty one. */
function nullInMap(shape: Shape): unknown {
  const target = shape.kind === "pointer" ? shape.to : shape;
  const isAbsent = shape.kind === "list" || (shape.kind === "pointer" && target.kind !== "struct");
  return isAbsent ? null : zeroOf(shape);
}

/** Walks over JSON that was scanned before: only types can be wrong. The recursion is as deep as the shape, not as the text. */
class Decoder {
  readonly #bytes: Buffer;
  /** Keys and indices from the root to here. */
  readonly #path: string[] = [];
  readonly #root: string;
  #at: number;

  constructor(bytes: Buffer, at: number, root = "") {
    this.#bytes = bytes;
    this.#at = at;
    this.#root = root;
  }

  /** The value here, or undefined for null. `before` is what an earlier field of the same name gave. */
  decode(shape: Shape, before: unknown): unknown {
    this.#at = skipSpace(this.#bytes, this.#at);
    if (this.#kind() === "null") {
      this.#skip();
      return undefined;
    }
    switch (shape.kind) {
      case "pointer":
        return this.decode(shape.to, before);
      case "string":
        return this.#expect("string", shape).#string();
      case "bytes":
        return this.#base64(shape);
      case "boolean":
        return this.#expect("bool", shape).#raw() === "true";
      case "float":
        return this.#float(shape);
      case "integer":
        return this.#integer(shape);
      case "command":
        return this.#command();
      case "list":
        return this.#list(shape, shape.item, Number.POSITIVE_INFINITY);
      case "array":
        return [...this.#list(shape, shape.item, shape.length), ...(zeroOf(shape) as unknown[])].slice(0, shape.length);
      case "map":
        return this.#map(shape, shape.value, before);
      default:
        return this.#struct(shape, before);
    }
  }

  #kind(): "object" | "array" | "string" | "bool" | "null" | "number" {
    switch (this.#bytes[this.#at]) {
      case 0x7b:
        return "object";
      case 0x5b:
        return "array";
      case 0x22:
        return "string";
      case 0x74:
      case 0x66:
        return "bool";
      case 0x6e:
        return "null";
      default:
        return "number";
    }
  }

  #expect(kind: string, shape: Shape): this {
    if (this.#kind() !== kind) throw this.#mismatch(this.#kind(), shape);
    return this;
  }

  #skip(): void {
    this.#at = scanValue(this.#bytes, this.#at);
  }

  #raw(): string {
    const begin = this.#at;
    this.#skip();
    return this.#bytes.toString("utf8", begin, this.#at);
  }

  #string(): string {
    const begin = this.#at;
    this.#at = scanString(this.#bytes, begin);
    const isPlain = this.#bytes.subarray(begin, this.#at).indexOf(0x5c) < 0;
    if (isPlain) return this.#bytes.toString("utf8", begin + 1, this.#at - 1);
    const text: unknown = JSON.parse(this.#bytes.toString("utf8", begin, this.#at));
    return String(text).toWellFormed(); // Go has a replacement character for half a surrogate pair
  }

  #base64(shape: Shape): string {
    const text = this.#expect("string", shape).#string();
    const fault = base64Fault(text);
    if (fault !== undefined) throw this.#mismatch("string", shape, `: illegal base64 data at input byte ${fault}`);
    return text.replaceAll(/[\r\n]/g, "");
  }

  #float(shape: Shape): number {
    const text = this.#expect("number", shape).#raw();
    const value = Number(text);
    const isFinite = Number.isFinite(shape.go === "float32" ? Math.fround(value) : value);
    if (!isFinite) throw this.#mismatch(`number ${text}`, shape);
    return value;
  }

  #integer(shape: Shape & { readonly kind: "integer" }): number | bigint {
    const text = this.#expect("number", shape).#raw();
    const isInteger = /^-?\d{1,20}$/.test(text) && !(shape.minimum === 0n && text.startsWith("-"));
    const value = isInteger ? BigInt(text) : undefined;
    if (value === undefined || value < shape.minimum || value > shape.maximum) throw this.#mismatch(`number ${text}`, shape);
    const nearest = Number(value);
    return Number.isSafeInteger(nearest) ? nearest : value;
  }

  /** A list of strings, or one. Go tries both outside of the struct: the error is that of the second, without a path. */
  #command(): unknown {
    const found = this.#kind();
    if (found === "string") return [this.#string()];
    const inner = new Decoder(this.#bytes, this.#at);
    try {
      const strings = inner.decode(shapeOf("[]string"), undefined);
      this.#at = inner.#at;
      return strings;
    } catch (error) {
      throw new JsonError(`json: cannot unmarshal ${found} into Go value of type string`, { cause: error });
    }
  }

  /** Elements from `length` on are skipped, whatever they are. */
  #list(shape: Shape, item: Shape, length: number): unknown[] {
    const elements: unknown[] = [];
    this.#expect("array", shape);
    for (let first = true; this.#nextElement(first); first = false) {
      if (elements.length === length) {
        this.#skip();
        continue;
      }
      this.#path.push(String(elements.length));
      const element = this.decode(item, undefined) ?? zeroOf(item);
      elements.push(typeof element === "bigint" ? Number(element) : element);
      this.#path.pop();
    }
    return elements;
  }

  #map(shape: Shape, value: Shape, before: unknown): Fields {
    const map = (before ?? Object.create(null)) as Fields;
    this.#expect("object", shape);
    for (let first = true; this.#nextElement(first); first = false) {
      const key = this.#key();
      map[key] = this.decode(value, undefined) ?? nullInMap(value);
      this.#path.pop();
    }
    return sortKeys(map);
  }

  #struct(shape: StructShape, before: unknown): Fields {
    const fields = (before ?? Object.create(null)) as Fields;
    this.#expect("object", shape);
    for (let first = true; this.#nextElement(first); first = false) {
      const key = this.#key();
      const name = shape.fields.has(key) ? key : shape.folded.get(foldName(key));
      const field = name === undefined ? undefined : shape.fields.get(name);
      if (name === undefined || field === undefined) this.#skip();
      else this.#setField(fields, name, field);
      this.#path.pop();
    }
    return fields;
  }

  #setField(fields: Fields, name: string, shape: Shape): void {
    const value = this.decode(shape, fields[name]);
    if (value === undefined) {
      // Null unsets what can be unset in Go, and leaves other fields as they are.
      if (["pointer", "list", "map", "bytes", "command"].includes(shape.kind)) delete fields[name];
      return;
    }
    fields[name] = typeof value === "bigint" ? Number(value) : value;
    if (typeof value === "bigint") fields[exactKey] = { ...(fields[exactKey] as object | undefined), [name]: value.toString() };
  }

  /** Steps over `[`, `{`, `,` to the next element; false, and past the end, when there is none. */
  #nextElement(isFirst: boolean): boolean {
    this.#at = skipSpace(this.#bytes, this.#at);
    const byte = this.#bytes[this.#at];
    this.#at = skipSpace(this.#bytes, this.#at + 1);
    if (!isFirst && (byte === 0x5d || byte === 0x7d)) return false;
    if (!isFirst) return true;
    const isEmpty = this.#bytes[this.#at] === 0x5d || this.#bytes[this.#at] === 0x7d;
    if (isEmpty) this.#at++;
    return !isEmpty;
  }

  /** Reads a key and its colon, and adds it to the path. */
  #key(): string {
    const key = this.#string();
    this.#at = skipSpace(this.#bytes, skipSpace(this.#bytes, this.#at) + 1);
    this.#path.push(key.replaceAll("~", "~0").replaceAll("/", "~1"));
    return key;
  }

  /** Go takes the path for that of a field of a struct unless it ends in digits, as that of an element of a list does. */
  #mismatch(found: string, shape: Shape, detail = ""): JsonError {
    const last = this.#path.at(-1);
    const path = [this.#root, ...this.#path].join(".");
    const where = last === undefined ? "Go value" : /^\d+$/.test(last) ? path : `Go struct field ${path}`;
    return new JsonError(`json: cannot unmarshal ${found} into ${where} of type ${shape.go}${detail}`);
  }
}
