import { corrected, inlineNames, moved, removed, renamed, unlisted } from "./corrections.ts";
import { byMethod, type Definitions, type Document, inlineBodies, ownProperties, type Schema } from "./document.ts";

/** All definitions of all documents, newest first, each object with a name; what only a later document has is optional. */
export function mergeDocuments(documents: readonly Document[]): Definitions {
  const definitions: Definitions = {};
  for (const document of documents) {
    const inline = byMethod(document).flatMap(inlineBodies);
    for (const [name, schema] of [...Object.entries(document.definitions), ...inline]) {
      if (name in renamed) continue;
      const known = definitions[name];
      definitions[name] = known ? mergeSchemas(known, schema) : schema;
    }
  }
  definitions["PluginPrivileges"] = { type: "array", items: { $ref: "#/definitions/PluginPrivilege" } };
  for (const [name, properties] of Object.entries(unlisted)) {
    definitions[name] = mergeSchemas(definitions[name] ?? { type: "object" }, { properties });
  }
  for (const name of Object.keys(moved)) definitions[name] = moveFields(name, definitions[name] ?? {});
  hoistInline(definitions);
  return definitions;
}

function moveFields(name: string, schema: Schema): Schema {
  const { from, fields } = moved[name] ?? { from: "", fields: [] };
  const inner = schema.properties?.[from];
  const [gone, kept] = [true, false].map((wanted) =>
    Object.fromEntries(Object.entries(inner?.properties ?? {}).filter(([field]) => fields.includes(field) === wanted)),
  );
  return { ...schema, properties: { ...schema.properties, [from]: { ...inner, properties: kept ?? {} }, ...gone } };
}

function mergeSchemas(known: Schema, other: Schema): Schema {
  const mine = ownProperties(known);
  const missing = Object.entries(ownProperties(other)).filter(([name]) => !(name in mine));
  if (missing.length === 0) return known;
  return { ...known, properties: { ...known.properties, ...Object.fromEntries(missing) } };
}

/** Gives the objects of `inlineNames` definitions of their own. */
function hoistInline(definitions: Definitions): void {
  const hoist = (schema: Schema, place: string): Schema => {
    const right = corrected[place];
    if (right) return right;
    const name = inlineNames[place];
    if (!name || schema.$ref) return descend(schema, place);
    const known = definitions[name];
    definitions[name] = descend(known ? mergeSchemas(known, schema) : schema, name);
    return { $ref: `#/definitions/${name}`, ...(schema["x-nullable"] === undefined ? {} : { "x-nullable": schema["x-nullable"] }) };
  };
  const descend = (schema: Schema, place: string): Schema => ({
    ...schema,
    ...(schema.properties && {
      properties: Object.fromEntries(
        Object.entries(schema.properties)
          .filter(([name]) => !removed.has(`${place}.${name}`))
          .map(([name, value]) => [name, hoist(value, `${place}.${name}`)]),
      ),
    }),
    ...(schema.items && { items: hoist(schema.items, `${place}[]`) }),
    ...(schema.allOf && { allOf: schema.allOf.map((part) => descend(part, place)) }),
  });
  for (const name of Object.keys(definitions)) definitions[name] = descend(definitions[name] ?? {}, name);
}
