import { bodyNames, renamed } from "./corrections.ts";

/** The parts of an OpenAPI 2.0 file that are used here. */
export interface Schema {
  readonly $ref?: string;
  readonly type?: string;
  readonly format?: string;
  readonly title?: string;
  readonly enum?: readonly unknown[];
  readonly items?: Schema;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: Schema | boolean;
  readonly allOf?: readonly Schema[];
  readonly required?: readonly string[];
  readonly "x-nullable"?: boolean;
}
export interface Operation {
  readonly operationId: string;
  readonly tags?: readonly string[];
  readonly parameters?: readonly { readonly in: string; readonly schema?: Schema }[];
  readonly responses: Readonly<Record<string, { readonly schema?: Schema }>>;
}
export interface Document {
  readonly definitions: Readonly<Record<string, Schema>>;
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
}
export type Definitions = Record<string, Schema>;

export const byMethod = (document: Document): Operation[] => Object.values(document.paths).flatMap((methods) => Object.values(methods));

/** Definitions that a schema refers to, itself first. */
export function refsIn(schema: Schema): string[] {
  const own = refName(schema);
  const parts = [...Object.values(schema.properties ?? {}), ...(schema.allOf ?? [])];
  if (schema.items) parts.push(schema.items);
  if (typeof schema.additionalProperties === "object") parts.push(schema.additionalProperties);
  return [...(own ? [own] : []), ...parts.flatMap(refsIn)];
}

export function refName(schema: Schema): string | undefined {
  const name = schema.$ref?.replace("#/definitions/", "");
  return name === undefined ? undefined : (renamed[name] ?? name);
}

/** Properties of the schema and of the anonymous parts of its `allOf`. */
export function ownProperties(schema: Schema): Record<string, Schema> {
  const parts = (schema.allOf ?? []).filter((part) => !part.$ref).map(ownProperties);
  return Object.assign({}, ...parts, schema.properties) as Record<string, Schema>;
}

/** The JSON body of an operation's request. */
export function bodyOf(operation: Operation): Schema | undefined {
  const schema = operation.parameters?.find((parameter) => parameter.in === "body")?.schema;
  return schema && schema.format !== "binary" && schema.type !== "string" ? schema : undefined;
}

export function bodyName(operation: Operation, schema: Schema): string {
  return bodyNames[operation.operationId] ?? refName(schema) ?? schema.title ?? `${operation.operationId}Request`;
}

/** The JSON bodies of an operation that have no definition of their own, by name. */
export function inlineBodies(operation: Operation): [string, Schema][] {
  const found: [string, Schema][] = [];
  const body = bodyOf(operation);
  if (body && !body.$ref && body.type !== "array") found.push([bodyName(operation, body), body]);
  for (const [status, { schema }] of Object.entries(operation.responses)) {
    const element = schema?.type === "array" ? schema.items : schema;
    if (!status.startsWith("2") || !element || element.$ref || !element.properties) continue;
    found.push([element.title ?? `${operation.operationId}Response`, element]);
  }
  return found;
}
