import { command, noArguments } from "../command.ts";
import { confirm } from "../confirm.ts";
import { bool, filters } from "../flag-kinds.ts";

export const prune = command({
  usage: "[OPTIONS]",
  args: noArguments,
  flags: {
    filter: filters(undefined, 'Provide filter values (e.g. "until=<timestamp>")'),
    force: bool("f", "Do not prompt for confirmation"),
  },
  run: async (invocation) => {
    const { flags, client, out } = invocation;
    if (!flags.force)
      await confirm(
        invocation,
        "WARNING! This will remove all custom networks not used by at least one container.\nAre you sure you want to continue?",
      );
    const deleted = (await client.networks.prune(flags.filter)).NetworksDeleted ?? [];
    if (deleted.length > 0) await out.write(`Deleted Networks:\n${deleted.join("\n")}\n\n`);
  },
});
