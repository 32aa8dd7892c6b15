import { type Description, noArguments } from "../command.ts";

/** Runs in src/daemon, by src/main.ts. The daemon alone knows its settings, and lists them itself. */
export const daemon: Description = {
  usage: "[OPTIONS]",
  args: noArguments,
  examples: ["daemon", "daemon --help"],
  flags: {},
};
