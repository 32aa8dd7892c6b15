import { atLeast, command } from "../command.ts";
import { forEachName } from "../each.ts";
import { int, text } from "../flag-kinds.ts";

export const restart = command({
  usage: "[OPTIONS] CONTAINER [CONTAINER...]",
  args: atLeast(1),
  completes: "containers",
  flags: {
    signal: text("s", "Signal to send, by name or number"),
    timeout: int("t", "Seconds to wait before SIGKILL; -1: for ever (default: the container's, else 10)", { deprecatedNames: ["time"] }),
  },
  run: (invocation) => {
    const { flags, changed, client } = invocation;
    const timeoutSeconds = changed.has("timeout") ? flags.timeout : undefined;
    return forEachName(invocation, invocation.args, async (name) => {
      await client.containers.restart(name, { signal: flags.signal, timeoutSeconds });
      return name;
    });
  },
});
