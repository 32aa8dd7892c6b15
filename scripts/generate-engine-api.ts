// Writes src/types/engine-api/generated/ and src/api/decode/generated/schema.ts from OpenAPI files of the Docker Engine API.
// Run by hand, newest file first; later files add what clients of older versions still send or read:
//   bun scripts/generate-engine-api.ts engine-api-v1.56.yaml engine-api-v1.51.yaml
// Only names, types and Go's type names come out: facts of the wire, no text of the files.
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { parse } from "yaml";
import type { Document } from "./engine-api/document.ts";
import { mergeDocuments } from "./engine-api/merge.ts";
import { schemaFile } from "./engine-api/schema-file.ts";
import { typeFiles } from "./engine-api/type-files.ts";

const root = resolve(import.meta.dir, "..");
const banner = "// Written by scripts/generate-engine-api.ts; do not edit.\n\n";

const documents = process.argv.slice(2).map((path) => parse(readFileSync(path, "utf8")) as Document);
const newest = documents[0];
if (!newest) throw new Error("usage: bun scripts/generate-engine-api.ts NEWEST.yaml [OLDER.yaml...]");
const definitions = mergeDocuments(documents);

function write(folder: string, files: ReadonlyMap<string, string>): void {
  const path = join(root, folder);
  rmSync(path, { recursive: true, force: true });
  mkdirSync(path, { recursive: true });
  for (const [name, text] of files) writeFileSync(join(path, `${name}.ts`), banner + text);
  Bun.spawnSync([process.execPath, "fmt", path]);
}

write("src/types/engine-api/generated", typeFiles(documents, definitions));
write("src/api/decode/generated", new Map([["schema", schemaFile(newest, definitions)]]));
