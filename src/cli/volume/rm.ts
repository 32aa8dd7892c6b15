import { atLeast, command } from "../command.ts";
import { forEachName } from "../each.ts";
import { bool } from "../flag-kinds.ts";

export const rm = command({
  usage: "[OPTIONS] VOLUME [VOLUME...]",
  args: atLeast(1),
  completes: "volumes",
  flags: { force: bool("f", "Say nothing about volumes that do not exist") },
  run: (invocation) =>
    forEachName(invocation, invocation.args, async (name) => {
      await invocation.client.volumes.remove(name, invocation.flags);
      return name;
    }),
});
