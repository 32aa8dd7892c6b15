import { type Description, noArguments } from "../command.ts";
import { bool, text } from "../flag-kinds.ts";

/** Runs in src/daemon/purge.ts, by src/main.ts. */
export const purge: Description = {
  usage: "[OPTIONS]",
  args: noArguments,
  examples: ["system purge --force"],
  flags: {
    data: bool(undefined, "Remove the data root, too: images, volumes, containers"),
    dataRoot: text(undefined, "Data root of the engine", { defaultText: '"/var/lib/gantry"' }),
    execRoot: text(undefined, "Exec root of the engine (default: the one that belongs to the data root)"),
    force: bool(undefined, "Do not ask first"),
  },
};
