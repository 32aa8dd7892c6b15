import type { NetworkSummary } from "#client/shapes.ts";
import { command, noArguments } from "../command.ts";
import { joinLabels } from "../container/summary-row.ts";
import { bool, filters, text } from "../flag-kinds.ts";
import { printRows } from "../format/rows.ts";
import { Row } from "../format/values.ts";
import { listFormat } from "../help-texts.ts";

const headers = {
  ID: "NETWORK ID",
  Name: "NAME",
  Driver: "DRIVER",
  Scope: "SCOPE",
  IPv4: "IPV4",
  IPv6: "IPV6",
  Internal: "INTERNAL",
  Labels: "LABELS",
  CreatedAt: "CREATED AT",
} as const;

export const ls = command({
  usage: "[OPTIONS]",
  args: noArguments,
  flags: {
    filter: filters("f", "Show only what matches, such as driver=bridge"),
    format: text(undefined, listFormat),
    noTrunc: bool(undefined, "Print long values in full"),
    quiet: bool("q", "Print the IDs only"),
  },
  run: async ({ flags, client, config, out }) => {
    const networks = await client.networks.list(flags.filter);
    const format = flags.format || (flags.quiet ? "table" : ((await config()).formats["networksFormat"] ?? "table"));
    const rows = networks
      .toSorted((one, other) => naturally.compare(one.Name, other.Name))
      .map((network) => networkRow(network, !flags.noTrunc));
    await printRows(
      rows,
      {
        format,
        defaultTable: "{{.ID}}\\t{{.Name}}\\t{{.Driver}}\\t{{.Scope}}",
        raw: "network_id: {{.ID}}\nname: {{.Name}}\ndriver: {{.Driver}}\nscope: {{.Scope}}\n",
        quiet: flags.quiet ? { table: "{{.ID}}", raw: "network_id: {{.ID}}" } : undefined,
        headers,
      },
      out,
    );
  },
});

const naturally = new Intl.Collator("en", { numeric: true, caseFirst: "upper" });

function networkRow(network: NetworkSummary, truncates: boolean): Row {
  const labels = network.Labels ?? {};
  return new Row(
    "*network.networkContext",
    {
      ID: () => (truncates ? network.Id.slice(0, 12) : network.Id),
      Name: () => network.Name,
      Driver: () => network.Driver ?? "",
      Scope: () => network.Scope ?? "",
      IPv4: () => String(network.EnableIPv4 ?? false),
      IPv6: () => String(network.EnableIPv6 ?? false),
      Internal: () => String(network.Internal ?? false),
      Labels: () => joinLabels(labels),
      CreatedAt: () => (network.Created ?? "").replace("T", " ").replace(/Z$/, " +0000 UTC"),
    },
    { methods: { Label: (name) => labels[String(name)] ?? "" } },
  );
}
