import { command, noArguments } from "../command.ts";
import { bool, filters } from "../flag-kinds.ts";
import { confirm } from "../confirm.ts";
import { humanSize } from "../units.ts";

export const prune = command({
  usage: "[OPTIONS]",
  args: noArguments,
  flags: {
    filter: filters(undefined, 'Provide filter values (e.g. "until=<timestamp>")'),
    force: bool("f", "Do not prompt for confirmation"),
  },
  run: async (invocation) => {
    const { flags, client, out } = invocation;
    if (!flags.force) await confirm(invocation, "WARNING! This will remove all stopped containers.\nAre you sure you want to continue?");
    const report = await client.containers.prune(flags.filter);
    const deleted = report.ContainersDeleted ?? [];
    if (deleted.length > 0) await out.write(`Deleted Containers:\n${deleted.join("\n")}\n\n`);
    await out.line(`Total reclaimed space: ${humanSize(report.SpaceReclaimed ?? 0)}`);
  },
});
