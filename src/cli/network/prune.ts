import { command, noArguments } from "../command.ts";
import { confirm } from "../confirm.ts";
import { bool, filters } from "../flag-kinds.ts";
import { pruneFilters } from "../prune-filters.ts";
import { checkDryRun, dryRunFlags, printPrunePlan } from "../prune-plan.ts";

export const prune = command({
  usage: "[OPTIONS]",
  args: noArguments,
  flags: {
    filter: filters(undefined, "Take only what matches, such as until=24h"),
    force: bool("f", "Do not ask first"),
    ...dryRunFlags,
  },
  examples: ["network prune --filter until=24h", "network prune --dry-run"],
  run: async (invocation) => {
    const { flags, client, config, out } = invocation;
    checkDryRun(flags);
    if (flags.dryRun) return printPrunePlan(invocation, { of: ["network"], filters: await pruneFilters(config, flags.filter) });
    if (!flags.force)
      await confirm(
        invocation,
        "WARNING! This will remove all custom networks not used by at least one container.\nAre you sure you want to continue?",
      );
    const deleted = (await client.networks.prune(await pruneFilters(config, flags.filter))).NetworksDeleted ?? [];
    if (deleted.length > 0) await out.write(`Deleted Networks:\n${deleted.join("\n")}\n\n`);
  },
});
