import { isKind, messageOf } from "#lib/errors.ts";
import { atLeast, command } from "../command.ts";
import { ExitError } from "../errors.ts";
import { bool } from "../flag-kinds.ts";

export const rm = command({
  usage: "NETWORK [NETWORK...]",
  args: atLeast(1),
  completes: "networks",
  flags: { force: bool("f", "Say nothing about networks that do not exist") },
  run: async ({ args, flags, client, out, err }) => {
    let code = 0;
    for (const name of args) {
      try {
        await client.networks.remove(name);
        await out.line(name);
      } catch (error) {
        if (flags.force && isKind(error, "not_found")) continue;
        await err.line(messageOf(error));
        code = 1;
      }
    }
    if (code !== 0) throw new ExitError(code, "exit status 1");
  },
});
