import { command, noArguments } from "../command.ts";
import { bool, text } from "../flag-kinds.ts";
import { runInternal } from "../internal.ts";

export const audit = command({
  usage: "[OPTIONS]",
  args: noArguments,
  examples: ["system audit", "system audit --deep --format json"],
  flags: {
    "data-root": text(undefined, 'Data root of the engine (default "/var/lib/gantry")'),
    "exec-root": text(undefined, "Exec root of the engine (default: the one that belongs to the data root)"),
    deep: bool(undefined, "Hash all blobs and layers again"),
    format: text(undefined, "Format the output: 'text' or 'json'"),
  },
  run: ({ flags }) => {
    const options = (["data-root", "exec-root", "format"] as const).flatMap((name) =>
      flags[name] === "" ? [] : [`--${name}=${flags[name]}`],
    );
    return runInternal(["audit", ...options, ...(flags.deep ? ["--deep"] : [])]);
  },
});
