import { command, noArguments } from "../command.ts";
import { bool, filters } from "../flag-kinds.ts";
import { pruneFilters } from "../prune-filters.ts";
import { checkDryRun, dryRunFlags, printPrunePlan } from "../prune-plan.ts";
import { confirm } from "../confirm.ts";
import { humanSize } from "../units.ts";

export const prune = command({
  usage: "[OPTIONS]",
  args: noArguments,
  flags: {
    filter: filters(undefined, "Take only what matches, such as until=24h"),
    force: bool("f", "Do not ask first"),
    ...dryRunFlags,
  },
  examples: ["container prune --filter until=24h", "container prune --dry-run"],
  run: async (invocation) => {
    const { flags, client, config, out } = invocation;
    checkDryRun(flags);
    if (flags.dryRun) return printPrunePlan(invocation, { of: ["container"], filters: await pruneFilters(config, flags.filter) });
    if (!flags.force) await confirm(invocation, "WARNING! This will remove all stopped containers.\nAre you sure you want to continue?");
    const report = await client.containers.prune(await pruneFilters(config, flags.filter));
    const deleted = report.ContainersDeleted ?? [];
    if (deleted.length > 0) await out.write(`Deleted Containers:\n${deleted.join("\n")}\n\n`);
    await out.line(`Total reclaimed space: ${humanSize(report.SpaceReclaimed ?? 0)}`);
  },
});
