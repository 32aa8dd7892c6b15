import { type Description, noArguments } from "../command.ts";
import { bool, text } from "../flag-kinds.ts";

/** Runs in src/helper/audit, by src/main.ts. */
export const audit: Description = {
  usage: "[OPTIONS]",
  args: noArguments,
  examples: ["system audit", "system audit --deep --format json"],
  flags: {
    dataRoot: text(undefined, "Data root of the engine", { defaultText: '"/var/lib/gantry"' }),
    execRoot: text(undefined, "Exec root of the engine (default: the one that belongs to the data root)"),
    deep: bool(undefined, "Hash all blobs and layers again"),
    format: text(undefined, "How to print differences: text or json", { defaultText: '"text"' }),
  },
};
