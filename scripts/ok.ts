// Everything that needs neither root nor a daemon: types, imports, lint, format, unit tests. Aim: under a minute.
import { runSteps } from "./lib/steps.ts";

const bun = process.execPath;
await runSteps([
  ["types", ["node_modules/.bin/tsc", "--noEmit"]],
  ["imports", [bun, "scripts/check-imports.ts"]],
  ["lint", ["node_modules/.bin/oxlint", "--type-aware", "--quiet", "src", "scripts", "test"]],
  ["format", [bun, "fmt", "--check", "src", "scripts", "test"]],
  ["unit tests", [bun, "test", "src", "scripts"]],
]);
