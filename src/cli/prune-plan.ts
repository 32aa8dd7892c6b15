import type { Filters } from "#client/containers.ts";
import type { PrunePlan, PruneNoun } from "#client/shapes.ts";
import type { Invocation } from "./command.ts";
import { ExitError } from "./errors.ts";
import { bool, text } from "./flag-kinds.ts";
import { layOut } from "./format/table.ts";
import { humanSize } from "./units.ts";

/** Of every prune. */
export const dryRunFlags = {
  dryRun: bool(undefined, "List what would be removed, and remove nothing"),
  format: text(undefined, "With --dry-run: json prints it as one JSON object"),
} as const;

/** @throws {ExitError} for a format without a dry run, or one that is not known */
export function checkDryRun({ dryRun, format }: { readonly dryRun: boolean; readonly format: string }): void {
  if (format !== "" && !dryRun) throw new ExitError(1, "--format is for --dry-run");
  if (format !== "" && format !== "json") throw new ExitError(1, `invalid format ${JSON.stringify(format)}: json is expected`);
}

/** Prints what a prune would remove, without a question: nothing is. */
export async function printPrunePlan(
  { client, out, flags }: Pick<Invocation<typeof dryRunFlags>, "client" | "out" | "flags">,
  request: { readonly of: readonly PruneNoun[]; readonly filters: Filters },
): Promise<void> {
  const plan = await client.system.prunePlan(request);
  await (flags.format === "json" ? out.line(JSON.stringify(plan)) : out.write(planText(plan)));
}

/** Tags say it all; what has none is named by its digests. */
function shownNames(names: readonly string[]): string {
  const tags = names.filter((name) => !name.includes("@"));
  return (tags.length > 0 ? tags : names).join(", ") || "<none>";
}

const nouns = ["Containers", "Networks", "Volumes", "Images"] as const;

/** A table of each noun of which something would go. */
export function planText(plan: PrunePlan): string {
  const tables = nouns.flatMap((noun) => {
    const items = plan[noun] ?? [];
    if (items.length === 0) return [];
    const sizes = noun !== "Networks";
    const rows = items.map(({ Id, Names, Size }) =>
      [
        ...(noun === "Volumes" ? [] : [Id.replace(/^sha256:/, "").slice(0, 12)]),
        shownNames(Names),
        ...(sizes ? [humanSize(Size, 3)] : []),
      ].join("\t"),
    );
    const titles = [...(noun === "Volumes" ? [] : ["ID"]), noun === "Images" ? "NAMES" : "NAME", ...(sizes ? ["SIZE"] : [])].join("\t");
    return [`${noun} that would be deleted:\n${layOut([titles, ...rows])}\n`];
  });
  return `${tables.join("")}Total reclaimable space: ${humanSize(plan.SpaceReclaimed)}\n`;
}
