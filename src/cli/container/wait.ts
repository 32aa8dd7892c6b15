import { atLeast, command } from "../command.ts";
import { forEachName } from "../each.ts";

export const wait = command({
  usage: "CONTAINER [CONTAINER...]",
  args: atLeast(1),
  completes: "running",
  flags: {},
  run: (invocation) =>
    forEachName(invocation, invocation.args, async (name) => {
      const { ended } = await invocation.client.containers.wait(name, "not-running");
      const { StatusCode, Error: problem } = await ended;
      if (problem?.Message) throw new Error(problem.Message);
      return String(StatusCode);
    }),
});
