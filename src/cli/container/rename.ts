import { messageOf } from "#lib/errors.ts";
import { command, exactly } from "../command.ts";
import { ExitError } from "../errors.ts";

export const rename = command({
  usage: "CONTAINER NEW_NAME",
  args: exactly(2),
  completes: "containers",
  flags: {},
  run: async ({ args, client }) => {
    const [oldName = "", newName = ""] = args.map((name) => name.trim());
    if (oldName === "" || newName === "") throw new ExitError(1, "Error: Neither old nor new names may be empty");
    try {
      await client.containers.rename(oldName, newName);
    } catch (error) {
      throw new ExitError(1, `${messageOf(error)}\nError: failed to rename container named ${oldName}`);
    }
  },
});
