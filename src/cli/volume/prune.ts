import { command, noArguments } from "../command.ts";
import { confirm } from "../confirm.ts";
import { ExitError } from "../errors.ts";
import { bool, filters } from "../flag-kinds.ts";
import { pruneFilters } from "../prune-filters.ts";
import { checkDryRun, dryRunFlags, printPrunePlan } from "../prune-plan.ts";
import { humanSize } from "../units.ts";

export const prune = command({
  usage: "[OPTIONS]",
  args: noArguments,
  flags: {
    all: bool("a", "Remove volumes that have a name, too"),
    filter: filters(undefined, "Take only what matches, such as label=KEY"),
    force: bool("f", "Do not ask first"),
    ...dryRunFlags,
  },
  examples: ["volume prune --all", "volume prune --dry-run --all"],
  run: async (invocation) => {
    const { flags, client, config, out } = invocation;
    checkDryRun(flags);
    if (flags.all && flags.filter["all"]) throw new ExitError(1, "conflicting options: cannot specify both --all and --filter all=1");
    const what = flags.all
      ? "all local volumes not used by at least one container"
      : "anonymous local volumes not used by at least one container";
    const ask = (): Promise<void> => confirm(invocation, `WARNING! This will remove ${what}.\nAre you sure you want to continue?`);
    if (!flags.force && !flags.dryRun) await ask();
    const limited = await pruneFilters(config, flags.filter);
    const wanted = flags.all ? { ...limited, all: ["true"] } : limited;
    if (flags.dryRun) return printPrunePlan(invocation, { of: ["volume"], filters: wanted });
    const report = await client.volumes.prune(wanted);
    const deleted = report.VolumesDeleted ?? [];
    if (deleted.length > 0) await out.write(`Deleted Volumes:\n${deleted.join("\n")}\n\n`);
    await out.line(`Total reclaimed space: ${humanSize(report.SpaceReclaimed ?? 0)}`);
  },
});
