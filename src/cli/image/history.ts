import { command, exactly } from "../command.ts";
import { bool, text } from "../flag-kinds.ts";
import { ellipsis, printRows } from "../format/rows.ts";
import { Row } from "../format/values.ts";
import { listFormat } from "../help-texts.ts";
import { humanDuration, humanSize } from "../units.ts";
import { platformQuery } from "./platform.ts";

const headers = {
  ID: "IMAGE",
  CreatedSince: "CREATED",
  CreatedAt: "CREATED AT",
  CreatedBy: "CREATED BY",
  Size: "SIZE",
  Comment: "COMMENT",
} as const;

export const history = command({
  usage: "[OPTIONS] IMAGE",
  args: exactly(1),
  completes: "images",
  flags: {
    format: text(undefined, listFormat),
    human: bool("H", "Print sizes and times in words", { initially: true }),
    noTrunc: bool(undefined, "Print long values in full"),
    platform: text(undefined, "Platform to look at: OS[/ARCH[/VARIANT]]"),
    quiet: bool("q", "Print the IDs only"),
  },
  run: async ({ args, flags, client, out }) => {
    const entries = await client.images.history(args[0] ?? "", { platform: platformQuery(flags.platform) });
    const now = Date.now();
    const rows = entries.map((entry) => {
      const created = entry.Created * 1000;
      const at = created > -62_135_596_800_000 ? new Date(created).toISOString().replace(/\.\d+Z$/, "Z") : "N/A";
      const since = `${humanDuration(now - created)} ago`;
      const by = entry.CreatedBy.replaceAll("\t", " ");
      return new Row("*formatter.historyContext", {
        ID: () => (flags.noTrunc ? entry.Id : entry.Id.replace(/^sha256:/, "").slice(0, 12)),
        CreatedAt: () => at,
        CreatedSince: () => (flags.human ? (entry.Created < 0 && created <= -62_135_596_800_000 ? "N/A" : since) : at),
        CreatedBy: () => (flags.noTrunc ? by : ellipsis(by, 45)),
        Size: () => (flags.human ? humanSize(entry.Size, 3) : String(entry.Size)),
        Comment: () => entry.Comment ?? "",
      });
    });
    const columns = "{{.ID}}\\t{{if .CreatedSince}}{{.CreatedSince}}{{end}}\\t{{.CreatedBy}}\\t{{.Size}}\\t{{.Comment}}";
    const format = flags.format || (flags.quiet ? "{{.ID}}" : "table");
    await printRows(
      rows,
      {
        format,
        defaultTable: columns,
        headers: flags.human ? headers : { ...headers, CreatedSince: headers.CreatedAt },
      },
      out,
    );
  },
});
