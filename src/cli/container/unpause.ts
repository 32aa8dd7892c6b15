import { atLeast, command } from "../command.ts";
import { forEachName } from "../each.ts";

export const unpause = command({
  usage: "CONTAINER [CONTAINER...]",
  args: atLeast(1),
  completes: "running",
  flags: {},
  run: (invocation) =>
    forEachName(invocation, invocation.args, async (name) => {
      await invocation.client.containers.unpause(name);
      return name;
    }),
});
