import { atLeast, command } from "../command.ts";
import { forEachName } from "../each.ts";
import { text } from "../flag-kinds.ts";

export const kill = command({
  usage: "[OPTIONS] CONTAINER [CONTAINER...]",
  args: atLeast(1),
  completes: "running",
  flags: { signal: text("s", "Signal to send, by name or number") },
  run: (invocation) =>
    forEachName(invocation, invocation.args, async (name) => {
      await invocation.client.containers.kill(name, invocation.flags.signal);
      return name;
    }),
});
