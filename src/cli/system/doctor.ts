import { command, noArguments } from "../command.ts";
import { bool, text } from "../flag-kinds.ts";
import { runInternal } from "../internal.ts";

export const doctor = command({
  usage: "[OPTIONS]",
  args: noArguments,
  examples: ["doctor", "doctor --fix"],
  flags: {
    "data-root": text(undefined, 'Where the engine will keep its data (default "/var/lib/gantry")'),
    fix: bool(undefined, "Install what is missing and mount what is left out, telling each step before it is taken"),
    format: text(undefined, "Format the output: 'text' or 'json'"),
  },
  run: ({ flags }) => {
    const options = (["data-root", "format"] as const).flatMap((name) => (flags[name] === "" ? [] : [`--${name}=${flags[name]}`]));
    return runInternal(["doctor", ...options, ...(flags.fix ? ["--fix"] : [])]);
  },
});
