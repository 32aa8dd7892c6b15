import { assert } from "#lib/errors.ts";
import { namedTypes, structs } from "./generated/schema.ts";

/** What a JSON value is decoded into. `go` is the name of the type in Go, as its error texts have it. */
export type Shape =
  | { readonly kind: "string" | "boolean" | "float" | "bytes" | "command"; readonly go: string }
  | { readonly kind: "integer"; readonly go: string; readonly minimum: bigint; readonly maximum: bigint }
  | { readonly kind: "pointer"; readonly go: string; readonly to: Shape }
  | { readonly kind: "list"; readonly go: string; readonly item: Shape }
  | { readonly kind: "array"; readonly go: string; readonly item: Shape; readonly length: number }
  | { readonly kind: "map"; readonly go: string; readonly value: Shape }
  | StructShape;

export interface StructShape {
  readonly kind: "struct";
  readonly go: string;
  readonly fields: ReadonlyMap<string, Shape>;
  /** Folded name → name. */
  readonly folded: ReadonlyMap<string, string>;
}

const known = new Map<string, Shape>();

/** The shape of a type expression of the schema: `*int`, `[]string`, `map[string]*network.EndpointSettings`, `container.HostConfig`. */
export function shapeOf(go: string): Shape {
  const shape = known.get(go) ?? parse(go);
  known.set(go, shape);
  return shape;
}

/** Names that differ in case only are the same to Go; it also takes the long s and the Kelvin sign for letters. */
export function foldName(name: string): string {
  return name.toLowerCase().replaceAll("\u017f", "s");
}

const integerBits: Readonly<Record<string, readonly [minimum: bigint, maximum: bigint]>> = {
  int: [-(2n ** 63n), 2n ** 63n - 1n],
  int64: [-(2n ** 63n), 2n ** 63n - 1n],
  uint: [0n, 2n ** 64n - 1n],
  uint64: [0n, 2n ** 64n - 1n],
  uint32: [0n, 2n ** 32n - 1n],
  uint16: [0n, 2n ** 16n - 1n],
};

const simple: Readonly<Record<string, Shape>> = {
  string: { kind: "string", go: "string" },
  bool: { kind: "boolean", go: "bool" },
  float32: { kind: "float", go: "float32" },
  float64: { kind: "float", go: "float64" },
  "[]uint8": { kind: "bytes", go: "[]uint8" },
  "struct {}": { kind: "struct", go: "struct {}", fields: new Map(), folded: new Map() },
  "strslice.StrSlice": { kind: "command", go: "string" },
};

function parse(go: string): Shape {
  const easy = simple[go];
  if (easy) return easy;
  const bits = integerBits[go];
  if (bits) return { kind: "integer", go, minimum: bits[0], maximum: bits[1] };
  const other = namedTypes[go];
  if (other !== undefined) return { ...shapeOf(other), go };
  const fields = structs[go];
  return fields ? parseStruct(go, fields) : parseComposite(go);
}

function parseStruct(go: string, fields: Readonly<Record<string, string>>): StructShape {
  return {
    kind: "struct",
    go,
    fields: new Map(Object.entries(fields).map(([name, type]) => [name, shapeOf(type)])),
    folded: new Map(Object.keys(fields).map((name) => [foldName(name), name])),
  };
}

function parseComposite(go: string): Shape {
  if (go.startsWith("*")) {
    const to = shapeOf(go.slice(1));
    return { kind: "pointer", go: to.go, to };
  }
  const [, key, length, rest] = /^(?:map\[([^\]]+)\]|\[(\d*)\])(.+)$/.exec(go) ?? [];
  assert(rest !== undefined, `the schema has a type that is not defined: ${go}`);
  if (key !== undefined) return { kind: "map", go, value: shapeOf(rest) };
  return length ? { kind: "array", go, item: shapeOf(rest), length: Number(length) } : { kind: "list", go, item: shapeOf(rest) };
}
