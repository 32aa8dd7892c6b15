import { type Definitions, ownProperties, refName, type Schema } from "./document.ts";
import { goFields } from "./go-names.ts";

/** The type of a schema in place; the name of its definition when it has one. */
export function typeOf(schema: Schema, definitions: Definitions): string {
  const single = schema.allOf?.length === 1 ? schema.allOf[0] : undefined;
  const name = refName(schema) ?? (single && refName(single));
  if (name) return name;
  switch (schema.type) {
    case "string":
      return "string";
    case "boolean":
      return "boolean";
    case "integer":
    case "number":
      return "number";
    case "array": {
      const element = schema.items ? nullable(typeOf(schema.items, definitions), schema.items) : "unknown";
      return `readonly ${/[ |]/.test(element) && !element.startsWith("{") ? `(${element})` : element}[]`;
    }
    default:
      return objectType(schema, definitions);
  }
}

function objectType(schema: Schema, definitions: Definitions): string {
  const { properties, additionalProperties } = schema;
  if (properties && Object.keys(properties).length > 0) return `{ ${membersOf(schema, definitions).join(" ")} }`;
  if (typeof additionalProperties === "object") {
    const isSet = additionalProperties.type === "object" && !additionalProperties.properties && !additionalProperties.additionalProperties;
    const value = isSet ? "EmptyObject" : nullable(typeOf(additionalProperties, definitions), additionalProperties);
    return `Readonly<Record<string, ${value}>>`;
  }
  return properties ? "EmptyObject" : "Readonly<Record<string, unknown>>";
}

const nullable = (type: string, schema: Schema): string => (schema["x-nullable"] ? `${type} | null` : type);

/** Go writes null for a list, a map or a pointer that is not set, whatever the file says. */
function isNilable(type: string, definitions: Definitions): boolean {
  if (/^(readonly |Readonly<|\{)/.test(type)) return true;
  const definition = definitions[type];
  return definition !== undefined && !["string", "integer"].includes(definition.type ?? "object");
}

function membersOf(schema: Schema, definitions: Definitions, owner = ""): string[] {
  return Object.entries(ownProperties(schema)).map(([name, property]) => {
    const required = schema.required?.includes(name) ?? false;
    const type = typeOf(property, definitions);
    const isPointer = goFields[owner]?.[name]?.startsWith("*") ?? false;
    const orNull = property["x-nullable"] || isPointer || (!required && isNilable(type, definitions)) ? " | null" : "";
    return `readonly ${identifier(name)}${required ? "" : "?"}: ${type}${orNull};`;
  });
}

/** The declaration of an exported type. */
export function declaration(name: string, definitions: Definitions): string {
  const schema = definitions[name] ?? {};
  const bases = (schema.allOf ?? []).map(refName).filter((base) => base !== undefined);
  const members = membersOf(schema, definitions, name);
  if (members.length === 0 && bases.length === 1) return `export type ${name} = ${bases[0]};\n`;
  if (members.length === 0 && bases.length === 0) return `export type ${name} = ${typeOf(schema, definitions)};\n`;
  const heritage = bases.length > 0 ? ` extends ${bases.join(", ")}` : "";
  return `export interface ${name}${heritage} {\n${members.map((member) => `  ${member}\n`).join("")}}\n`;
}

const identifier = (name: string): string => (/^[A-Za-z_$][\w$]*$/.test(name) ? name : JSON.stringify(name));
