import { DaemonError } from "#client/errors.ts";
import { atLeast, command } from "../command.ts";
import { forEachName } from "../each.ts";
import { bool } from "../flag-kinds.ts";

export const rm = command({
  usage: "[OPTIONS] CONTAINER [CONTAINER...]",
  args: atLeast(1),
  completes: "containers",
  flags: {
    force: bool("f", "Kill containers that run, then remove them"),
    link: bool("l", "Remove a link, not the container"),
    volumes: bool("v", "Remove the container's unnamed volumes, too"),
  },
  run: (invocation) => {
    const { flags, client, err } = invocation;
    return forEachName(invocation, invocation.args, async (argument) => {
      const name = argument.replace(/^\/+|\/+$/g, "");
      if (name === "") throw new Error("container name cannot be empty");
      try {
        await client.containers.remove(name, flags);
      } catch (error) {
        // What is to be forced away may be away already.
        if (!flags.force || !(error instanceof DaemonError) || error.kind !== "not_found") throw error;
        await err.line(error.message);
        return undefined;
      }
      return argument;
    });
  },
});
