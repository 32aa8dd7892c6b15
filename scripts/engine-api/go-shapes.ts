import { type Definitions, ownProperties, refName, refsIn, type Schema } from "./document.ts";
import { goDefinitions, goFields, goNames, otherStructs } from "./go-names.ts";

/** Translates definitions to the structs of Go that dockerd reads them into. */
export class GoShapes {
  /** Go's name → field → type in Go's notation. */
  readonly structs: Record<string, Record<string, string>> = { ...otherStructs };
  readonly #definitions: Definitions;

  constructor(definitions: Definitions) {
    this.#definitions = definitions;
  }

  /** The type in Go's notation; the structs it names are described on the way. */
  expressionOf(schema: Schema): string {
    const single = schema.allOf?.length === 1 ? schema.allOf[0] : undefined;
    const name = refName(schema) ?? (single && refName(single));
    const definition = name === undefined ? undefined : this.#definitions[name];
    if (name !== undefined && definition) return this.#goDefinition(name, definition);
    switch (schema.type) {
      case "string":
        return "string";
      case "boolean":
        return "bool";
      case "integer":
        return schema.format ?? "int";
      case "number":
        return "float64";
      case "array":
        return `[]${this.expressionOf(schema.items ?? { type: "string" })}`;
    }
    if (typeof schema.additionalProperties !== "object") throw new Error(`no Go type for ${JSON.stringify(schema)}`);
    if (schema.additionalProperties.type === "object") return "map[string]struct {}";
    return `map[string]${this.expressionOf(schema.additionalProperties)}`;
  }

  #goDefinition(name: string, definition: Schema): string {
    const go = goTypeName(name);
    if (definition.type === "array") {
      const list = this.expressionOf(definition);
      return go in goDefinitions ? go : list;
    }
    if (go in goDefinitions) this.#describeRefs(definition);
    if (go in goDefinitions || definition.type === "string") return go;
    if (this.structs[go]) return go;
    const fields: Record<string, string> = (this.structs[go] = {});
    for (const [field, type] of this.#goFieldsOf(name, definition)) fields[field] = type;
    return go;
  }

  #describeRefs(schema: Schema): void {
    for (const name of refsIn(schema)) this.#goDefinition(name, this.#definitions[name] ?? {});
  }

  /** Fields of embedded structs first, as their JSON comes flat. */
  #goFieldsOf(name: string, definition: Schema): [string, string][] {
    const bases = (definition.allOf ?? []).map(refName).filter((base) => base !== undefined);
    const embedded = bases.flatMap((base) => this.#goFieldsOf(base, this.#definitions[base] ?? {}));
    const own = Object.entries(ownProperties(definition)).map(([field, schema]): [string, string] => {
      // Structs behind a pointer or in a list are named by the override, and described by what the file says.
      const derived = this.#isStructured(schema) ? this.expressionOf(schema) : undefined;
      return [field, goFields[name]?.[field] ?? derived ?? this.expressionOf(schema)];
    });
    return [...embedded, ...own];
  }

  #isStructured(schema: Schema): boolean {
    return refsIn(schema).some((name) => this.#definitions[name] !== undefined);
  }
}

function goTypeName(definition: string): string {
  return goNames[definition] ?? `swarm.${definition}`;
}
