import { bodyName, bodyOf, byMethod, type Definitions, type Document, type Schema } from "./document.ts";
import { goDefinitions, otherInputs } from "./go-names.ts";
import { GoShapes } from "./go-shapes.ts";
import { typeOf } from "./typescript.ts";

interface Input {
  readonly type: string;
  readonly go: string;
}

/** The table of shapes that the decoder works with, for the operations of the document. */
export function schemaFile(document: Document, definitions: Definitions): string {
  const shapes = new GoShapes(definitions);
  const inputs: Record<string, Input> = { ...otherInputs };
  for (const operation of byMethod(document)) {
    const body = bodyOf(operation);
    if (body) inputs[operation.operationId] = inputOf(operation.operationId, body, bodyName(operation, body), shapes, definitions);
  }
  const imported = new Set(Object.values(inputs).flatMap(({ type }) => type.match(/\b[A-Z]\w*/g) ?? []));
  const types = [...imported].filter((name) => name !== "Readonly" && name !== "Record").toSorted();
  const fields = Object.entries(inputs).map(([name, { type }]) => `  readonly ${name}: ${type};\n`);
  const expressions = Object.fromEntries(Object.entries(inputs).map(([name, { go }]) => [name, go]));
  const named = { ...goDefinitions, ...namedStrings(shapes.structs, Object.values(expressions)) };
  return [
    `import type { ${types.join(", ")} } from "#types/engine-api/index.ts";`,
    `/** Fields of Go's structs and their types, in Go's notation. */
export const structs: Readonly<Record<string, Readonly<Record<string, string>>>> = ${table(shapes.structs)};`,
    `/** Go's other named types, and what they are. */
export const namedTypes: Readonly<Record<string, string>> = ${table(named)};`,
    `/** What can be decoded: operations by the id of their request body, and JSON in headers and query parameters. */
export interface Inputs {\n${fields.join("")}}`,
    `export const inputs: Readonly<Record<keyof Inputs, string>> = ${table(expressions)};\n`,
  ].join("\n\n");
}

function inputOf(operationId: string, body: Schema, name: string, shapes: GoShapes, definitions: Definitions): Input {
  if (body.type === "array") {
    // The privileges of a plugin are a list without a name in the file.
    const list = operationId === "PluginSet" ? body : { $ref: "#/definitions/PluginPrivileges" };
    return { type: typeOf(list, definitions), go: shapes.expressionOf(list) };
  }
  // dockerd reads these through a pointer, and Go's error texts lack the name of the struct then.
  const pointer = name === "ContainerCreateRequest" || name === "AuthConfig" ? "*" : "";
  return { type: name, go: pointer + shapes.expressionOf({ $ref: `#/definitions/${name}` }) };
}

/** Dotted names that are neither structs nor defined: types over string. */
function namedStrings(
  structs: Readonly<Record<string, Readonly<Record<string, string>>>>,
  inputs: readonly string[],
): Record<string, string> {
  const expressions = [...Object.values(structs).flatMap((fields) => Object.values(fields)), ...inputs];
  const names = expressions.flatMap((expression) => expression.match(/[a-z]\w*\.[A-Z]\w*/g) ?? []);
  const unknown = names.filter((name) => !structs[name] && !goDefinitions[name] && name !== "strslice.StrSlice");
  return Object.fromEntries([...new Set(unknown)].toSorted().map((name) => [name, "string"]));
}

const table = (value: unknown): string => JSON.stringify(value, null, 2).replaceAll(/^(\s+)"([A-Za-z_]\w*)":/gm, "$1$2:");
