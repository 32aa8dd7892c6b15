import type { ImageGcPlan } from "#client/shapes.ts";
import { command, noArguments } from "../command.ts";
import { bool, text } from "../flag-kinds.ts";
import { printRows } from "../format/rows.ts";
import { Row } from "../format/values.ts";
import { listFormat } from "../help-texts.ts";
import { deletionLines } from "../image/prune.ts";
import { humanDuration, humanSize } from "../units.ts";

const headers = { Image: "IMAGE", LastUsed: "LAST USED", Frees: "FREES", Decision: "DECISION", Reason: "WHY" } as const;

export const gc = command({
  usage: "[OPTIONS]",
  args: noArguments,
  flags: {
    explain: bool(undefined, "Remove nothing: list every image with what becomes of it, and why"),
    force: bool("f", "As if the disk were too full: everything goes that may"),
    format: text(undefined, listFormat),
  },
  examples: ["system gc --explain", "system gc --explain --format json", "system gc --force"],
  run: async ({ flags, client, out, err }) => {
    const plan = await client.images.gcPlan(flags.force);
    if (flags.explain) {
      await err.line(policySentence(plan));
      return printRows(
        plan.Images.map((image) => planRow(image, Date.now())),
        {
          format: flags.format || "table",
          defaultTable: "{{.Image}}\\t{{.LastUsed}}\\t{{.Frees}}\\t{{.Decision}}\\t{{.Reason}}",
          headers,
        },
        out,
      );
    }
    const { ImagesDeleted } = await client.images.gc(flags.force);
    const freedBytes = plan.Images.reduce((sum, { Decision, FreedBytes }) => sum + (Decision === "remove" ? FreedBytes : 0), 0);
    if (ImagesDeleted.length > 0) await out.write(`Deleted Images:\n${deletionLines(ImagesDeleted)}\n`);
    else await err.line(policySentence(plan));
    await out.line(`Total reclaimed space: ${humanSize(ImagesDeleted.length > 0 ? freedBytes : 0)}`);
  },
});

function policySentence({ Policy, Disk }: ImageGcPlan): string {
  const percent = (share: number): string => `${Math.round(share * 100)}%`;
  const used = Disk.TotalBytes > 0 ? Disk.UsedBytes / Disk.TotalBytes : 0;
  const rule = Policy.Enabled
    ? `from ${percent(Policy.HighMark)} on unused images go by themselves, until it is ${percent(Policy.LowMark)} full`
    : "images do not go by themselves (image-gc enabled=false)";
  return `The disk is ${percent(used)} full; ${rule}.`;
}

function planRow(image: ImageGcPlan["Images"][number], now: number): Row {
  return new Row("*formatter.imageGcContext", {
    Image: () => image.RepoTags.join(", ") || image.Id.slice("sha256:".length, 19),
    Id: () => image.Id,
    LastUsed: () => lastUsed(Date.parse(image.LastUsedAt), now),
    Frees: () => humanSize(image.FreedBytes),
    Decision: () => image.Decision,
    Reason: () => image.Reason,
  });
}

function lastUsed(time: number, now: number): string {
  return time > 0 ? `${humanDuration(now - time)} ago` : "never";
}
