import { command, exactly } from "../command.ts";
import { ExitError } from "../errors.ts";

export const diff = command({
  usage: "CONTAINER",
  args: exactly(1),
  completes: "containers",
  flags: {},
  examples: ["diff web"],
  run: async ({ args, client, out }) => {
    const [name = ""] = args;
    if (name === "") throw new ExitError(1, "Container name cannot be empty");
    const kinds = ["C", "A", "D"];
    for (const { Path, Kind } of await client.containers.changes(name)) await out.line(`${kinds[Kind] ?? ""} ${Path}`);
  },
});
