import type { VolumeSummary } from "#client/shapes.ts";
import { command, noArguments } from "../command.ts";
import { joinLabels } from "../container/summary-row.ts";
import { bool, filters, text } from "../flag-kinds.ts";
import { printRows } from "../format/rows.ts";
import { Row } from "../format/values.ts";
import { listFormat } from "../help-texts.ts";
import { humanSize } from "../units.ts";

export const volumeHeaders = {
  Name: "VOLUME NAME",
  Driver: "DRIVER",
  Scope: "SCOPE",
  Availability: "AVAILABILITY",
  Mountpoint: "MOUNTPOINT",
  Labels: "LABELS",
  Links: "LINKS",
  Size: "SIZE",
  Group: "GROUP",
  Status: "STATUS",
} as const;

export const ls = command({
  usage: "[OPTIONS]",
  args: noArguments,
  flags: {
    filter: filters("f", "Show only what matches, such as dangling=true"),
    format: text(undefined, listFormat),
    quiet: bool("q", "Print the names only"),
  },
  run: async ({ flags, client, config, out }) => {
    const { Volumes } = await client.volumes.list(flags.filter);
    const format = flags.format || (flags.quiet ? "table" : ((await config()).formats["volumesFormat"] ?? "table"));
    const rows = (Volumes ?? []).toSorted((one, other) => naturally.compare(one.Name, other.Name)).map(volumeRow);
    await printRows(
      rows,
      {
        format,
        defaultTable: "{{.Driver}}\\t{{.Name}}",
        raw: "name: {{.Name}}\ndriver: {{.Driver}}\n",
        quiet: flags.quiet ? { table: "{{.Name}}", raw: "name: {{.Name}}" } : undefined,
        headers: volumeHeaders,
      },
      out,
    );
  },
});

const naturally = new Intl.Collator("en", { numeric: true, caseFirst: "upper" });

export function volumeRow(volume: VolumeSummary): Row {
  const labels = volume.Labels ?? {};
  const usage = volume.UsageData;
  return new Row(
    "*formatter.volumeContext",
    {
      Name: () => volume.Name,
      Driver: () => volume.Driver ?? "",
      Scope: () => volume.Scope ?? "",
      Mountpoint: () => volume.Mountpoint ?? "",
      Labels: () => joinLabels(labels),
      Links: () => (usage ? String(usage.RefCount ?? 0) : "N/A"),
      Size: () => (usage ? humanSize(usage.Size ?? 0) : "N/A"),
      // Only volumes of a cluster have these.
      Availability: () => "N/A",
      Group: () => "N/A",
      Status: () => "N/A",
    },
    { methods: { Label: (name) => labels[String(name)] ?? "" } },
  );
}
