import { sprintf } from "./printf.ts";
import { display, isMap, isTrue, Row, toJson } from "./values.ts";

export type TemplateFunction = (...args: readonly unknown[]) => unknown;

/** The functions of Go's templates and those that Docker adds. They throw plain errors; the evaluator adds the place. */
export const functions: Readonly<Record<string, TemplateFunction>> = {
  // `and` and `or` are evaluated lazily, in the evaluator; these are reached with values already at hand.
  and: (...args) => args.find((value) => !isTrue(value)) ?? args.at(-1),
  or: (...args) => args.find(isTrue) ?? args.at(-1),
  not: (value) => !isTrue(value),
  len: length,
  index: (value, ...keys) => keys.reduce(indexInto, value),
  slice: (value, from, to) => sequence(value, "slice").slice(Number(from ?? 0), to === undefined ? undefined : Number(to)),
  print: (...args) => print(args),
  println: (...args) => `${args.map(display).join(" ")}\n`,
  printf: (format, ...args) => sprintf(stringOf(format, "printf"), args),
  html: (...args) => print(args).replace(/[&<>"']/g, (letter) => `&#${letter.charCodeAt(0)};`),
  urlquery: (...args) => encodeURIComponent(print(args)).replaceAll("%20", "+"),
  js: (...args) => print(args).replace(/['"\\<>&=]/g, (letter) => `\\u00${letter.charCodeAt(0).toString(16).toUpperCase()}`),
  eq: (one, ...others) => compareAll(one, others),
  ne: (one, other) => !compareAll(one, [other]),
  lt: (one, other) => order(one, other) < 0,
  le: (one, other) => order(one, other) <= 0,
  gt: (one, other) => order(one, other) > 0,
  ge: (one, other) => order(one, other) >= 0,
  json: (value) => toJson(value, { escapeHtml: false }),
  split: (text, separator) => stringOf(text, "split").split(stringOf(separator, "split")),
  join: (list, separator) => (Array.isArray(list) ? list : []).map(display).join(stringOf(separator, "join")),
  title: (text) =>
    stringOf(text, "title").replace(/(^|[^\p{L}\p{N}_'])(\p{L})/gu, (_, before: string, letter: string) => before + letter.toUpperCase()),
  lower: (text) => stringOf(text, "lower").toLowerCase(),
  upper: (text) => stringOf(text, "upper").toUpperCase(),
  pad: (text, before, after) => (text === "" ? "" : " ".repeat(bounded(before)) + stringOf(text, "pad") + " ".repeat(bounded(after))),
  truncate: (text, size) => stringOf(text, "truncate").slice(0, bounded(size)),
};

/** In the line of headers the functions of Docker change nothing: `{{lower .ID}}` still stands under `CONTAINER ID`. */
export const headerFunctions: Readonly<Record<string, TemplateFunction>> = {
  ...functions,
  ...Object.fromEntries(
    ["json", "split", "join", "title", "lower", "upper", "truncate"].map((name) => [name, (value: unknown) => stringOf(value, name)]),
  ),
};

const bounded = (value: unknown): number => Math.max(0, Math.min(Number(value) || 0, 100_000));

/** Go's Sprint: a space between two operands when neither is a string. */
function print(args: readonly unknown[]): string {
  let text = "";
  args.forEach((value, index) => {
    if (index > 0 && typeof value !== "string" && typeof args[index - 1] !== "string") text += " ";
    text += display(value);
  });
  return text;
}

function stringOf(value: unknown, name: string): string {
  if (typeof value === "string") return value;
  if (value === undefined || value === null) throw new Error(`wrong number of args or nil value for ${name}: want string`);
  if (typeof value === "number") return display(value);
  throw new Error(
    `wrong type for value; expected string; got ${value instanceof Row ? value.typeName : Array.isArray(value) ? "[]interface {}" : typeof value}`,
  );
}

function length(value: unknown): number {
  if (typeof value === "string") return Buffer.byteLength(value);
  if (Array.isArray(value)) return value.length;
  if (isMap(value)) return Object.keys(value).length;
  throw new Error(
    value === null || value === undefined ? "len of nil pointer" : `len of type ${typeof value === "number" ? "int" : typeof value}`,
  );
}

function sequence(value: unknown, name: string): string | readonly unknown[] {
  if (typeof value === "string" || Array.isArray(value)) return value;
  throw new Error(`can't ${name} item of type ${typeof value}`);
}

function indexInto(value: unknown, key: unknown): unknown {
  if (value === null || value === undefined) throw new Error("index of untyped nil");
  if (isMap(value)) return Object.hasOwn(value, String(key)) ? value[String(key)] : "";
  if (typeof key !== "number") throw new Error(`cannot index slice/array with type ${typeof key}`);
  if (!Array.isArray(value) && typeof value !== "string") throw new Error(`can't index item of type ${typeof value}`);
  if (key < 0 || key > value.length) throw new Error(`index out of range: ${key}`);
  if (key === value.length) throw new Error(`reflect: ${typeof value === "string" ? "string" : "slice"} index out of range`);
  return typeof value === "string" ? Buffer.from(value)[key] : value[key];
}

function compareAll(one: unknown, others: readonly unknown[]): boolean {
  if (others.length === 0) throw new Error("missing argument for comparison");
  return others.some((other) => {
    if (one !== null && other !== null && one !== undefined && other !== undefined && typeof one !== typeof other)
      throw new Error("incompatible types for comparison");
    return one === other || ((one ?? null) === null && (other ?? null) === null);
  });
}

function order(one: unknown, other: unknown): number {
  if (typeof one === "number" && typeof other === "number") return one - other;
  if (typeof one === "string" && typeof other === "string") return one < other ? -1 : one > other ? 1 : 0;
  throw new Error("incompatible types for comparison");
}
