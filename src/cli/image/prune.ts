import type { ImageDeletion } from "#client/shapes.ts";
import { command, noArguments } from "../command.ts";
import { confirm } from "../confirm.ts";
import { bool, filters } from "../flag-kinds.ts";
import { pruneFilters } from "../prune-filters.ts";
import { checkDryRun, dryRunFlags, printPrunePlan } from "../prune-plan.ts";
import { humanSize } from "../units.ts";

export const prune = command({
  usage: "[OPTIONS]",
  args: noArguments,
  flags: {
    all: bool("a", "Remove images that have a name, too"),
    filter: filters(undefined, "Take only what matches, such as until=24h"),
    force: bool("f", "Do not ask first"),
    ...dryRunFlags,
  },
  examples: ["image prune --all --filter until=24h", "image prune --dry-run --all"],
  run: async (invocation) => {
    const { flags, client, config, out } = invocation;
    checkDryRun(flags);
    const what = flags.all ? "all images without at least one container associated to them" : "all dangling images";
    const ask = (): Promise<void> => confirm(invocation, `WARNING! This will remove ${what}.\nAre you sure you want to continue?`);
    if (!flags.force && !flags.dryRun) await ask();
    const wanted = { ...(await pruneFilters(config, flags.filter)), dangling: [String(!flags.all)] };
    if (flags.dryRun) return printPrunePlan(invocation, { of: ["image"], filters: wanted });
    const report = await client.images.prune(wanted);
    const deleted = report.ImagesDeleted ?? [];
    if (deleted.length > 0) await out.write(`Deleted Images:\n${deletionLines(deleted)}\n`);
    await out.line(`Total reclaimed space: ${humanSize(report.SpaceReclaimed ?? 0)}`);
  },
});

/** Small letters here, capitals in `rmi`: so does Docker. */
export function deletionLines(deleted: readonly ImageDeletion[]): string {
  return deleted.map(({ Untagged, Deleted }) => (Untagged ? `untagged: ${Untagged}\n` : `deleted: ${Deleted ?? ""}\n`)).join("");
}
