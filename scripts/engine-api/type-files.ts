import { bodyOf, byMethod, type Definitions, type Document, inlineBodies, refsIn } from "./document.ts";
import { declaration } from "./typescript.ts";

const groups = [
  "container",
  "exec",
  "image",
  "network",
  "volume",
  "system",
  "distribution",
  "session",
  "plugin",
  "swarm",
  "node",
  "service",
  "task",
  "secret",
  "config",
];
const swarmGroups = new Set(["swarm", "node", "service", "task", "secret", "config"]);

/** Name of each file of types, without its ending → its text. A definition goes where its first user is. */
export function typeFiles(documents: readonly Document[], definitions: Definitions): ReadonlyMap<string, string> {
  const groupOf = groupOfDefinitions(documents, definitions);
  const names = [...new Set(groupOf.values())].toSorted();
  const files = new Map(names.map((file) => [file, fileOf(file, groupOf, definitions)]));
  files.set("empty", "/** A value of a Go `map[string]struct{}`: only its key says something. */\nexport type EmptyObject = object;\n");
  files.set("index", [...names, "empty"].map((file) => `export type * from "./${file}.ts";\n`).join(""));
  return files;
}

function fileOf(file: string, groupOf: ReadonlyMap<string, string>, definitions: Definitions): string {
  const names = [...groupOf].filter(([, group]) => group === file).map(([name]) => name);
  const body = names
    .toSorted()
    .map((name) => declaration(name, definitions))
    .join("\n");
  return `${importsOf(body, file, groupOf)}${body}`;
}

/** Definition → the first group whose operations reach it. */
function groupOfDefinitions(documents: readonly Document[], definitions: Definitions): Map<string, string> {
  const groupOf = new Map<string, string>();
  const mark = (name: string, group: string): void => {
    if (groupOf.has(name) || !definitions[name]) return;
    groupOf.set(name, group);
    for (const other of refsIn(definitions[name])) mark(other, group);
  };
  const operations = documents.flatMap(byMethod);
  for (const group of groups) {
    for (const operation of operations.filter(({ tags }) => tags?.[0]?.toLowerCase() === group)) {
      const file = swarmGroups.has(group) ? "swarm" : group;
      const schemas = [bodyOf(operation), ...Object.values(operation.responses).map(({ schema }) => schema)];
      for (const name of inlineBodies(operation).map(([inline]) => inline)) mark(name, file);
      for (const schema of schemas) for (const name of schema ? refsIn(schema) : []) mark(name, file);
    }
  }
  for (const name of Object.keys(definitions)) mark(name, "common");
  return groupOf;
}

function importsOf(body: string, file: string, groupOf: ReadonlyMap<string, string>): string {
  const words = new Set(body.match(/\b[A-Z]\w*/g));
  const wanted = new Map<string, string[]>();
  for (const word of words) {
    const from = word === "EmptyObject" ? "empty" : groupOf.get(word);
    // A field may be named as a type is: only a word in the place of a type counts.
    if (!from || from === file || !new RegExp(`(: |extends |readonly |\\(|, |<|\\| |= )${word}\\b(?!\\??:)`).test(body)) continue;
    wanted.set(from, [...(wanted.get(from) ?? []), word]);
  }
  const lines = [...wanted]
    .toSorted(([left], [right]) => left.localeCompare(right))
    .map(([from, names]) => `import type { ${names.toSorted().join(", ")} } from "./${from}.ts";\n`);
  return lines.length > 0 ? `${lines.join("")}\n` : "";
}
