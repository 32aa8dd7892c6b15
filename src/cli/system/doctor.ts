import { type Description, noArguments } from "../command.ts";
import { bool, text } from "../flag-kinds.ts";

/** Runs in src/helper/doctor, by src/main.ts. */
export const doctor: Description = {
  usage: "[OPTIONS]",
  args: noArguments,
  examples: ["doctor", "doctor --fix"],
  flags: {
    dataRoot: text(undefined, "Where the engine will keep its data", { defaultText: '"/var/lib/gantry"' }),
    fix: bool(undefined, "Install what is missing and mount what is left out, telling each step before it is taken"),
    format: text(undefined, "How to print the report: text or json", { defaultText: '"text"' }),
  },
};
