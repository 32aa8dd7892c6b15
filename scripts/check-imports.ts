// Holds the table of allowed imports between the layers of src/ (docs/architecture.md) and fails on any other edge.
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";

const source = resolve(import.meta.dir, "../src");

/** Layer → the layers it may import, besides itself, `types` and `lib`. */
const allowed: Record<string, readonly string[]> = {
  main: ["cli", "daemon", "helper"],
  cli: ["client", "compose"],
  compose: ["client"],
  client: [],
  helper: ["drivers", "os"],
  daemon: ["api", "registry", "dashboard", "swarm", "builder", "engine", "drivers", "os"],
  api: ["swarm", "builder", "engine"],
  registry: ["drivers"],
  dashboard: [],
  swarm: ["engine", "drivers"],
  builder: ["engine", "drivers"],
  engine: ["drivers"],
  drivers: ["os"],
  os: [],
  types: [],
  lib: [],
};

const layerOf = (file: string): string => {
  const first = relative(source, file).split("/")[0] ?? "";
  return first === "main.ts" ? "main" : first;
};

function* sources(folder: string): Generator<string> {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) yield* sources(path);
    else if (entry.name.endsWith(".ts")) yield path;
  }
}

const failures: string[] = [];
for (const file of sources(source)) {
  const from = layerOf(file);
  const rules = allowed[from];
  if (!rules) {
    failures.push(`${relative(source, file)}: layer "${from}" is not in the table of scripts/check-imports.ts`);
    continue;
  }
  const text = readFileSync(file, "utf8");
  for (const match of text.matchAll(/(?:from|import)\s*\(?\s*["']([^"']+)["']/g)) {
    const specifier = match[1] ?? "";
    if (!specifier.startsWith("#") && !specifier.startsWith(".")) continue;
    const target = specifier.startsWith("#") ? join(source, specifier.slice(1)) : resolve(dirname(file), specifier);
    const to = layerOf(target);
    if (to.startsWith("..")) {
      // package.json carries the version; nothing else outside src/ belongs to the product.
      if (!target.endsWith("/package.json")) failures.push(`${relative(source, file)} imports ${specifier} outside src/`);
      continue;
    }
    if (to === from) continue;
    if (specifier.startsWith("."))
      failures.push(`${relative(source, file)} imports ${specifier}: across layers write #${relative(source, target)}`);
    const leaf = to === "lib" || (to === "types" && from !== "lib");
    if (!leaf && !rules.includes(to)) failures.push(`${relative(source, file)} imports ${specifier}: ${from} may not import ${to}`);
  }
}
if (failures.length > 0) {
  console.error(failures.join("\n"));
  process.exit(1);
}
