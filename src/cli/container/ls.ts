import { command, noArguments } from "../command.ts";
import { bool, filters, int, text } from "../flag-kinds.ts";
import { printRows, renderRows } from "../format/rows.ts";
import { listFormat } from "../help-texts.ts";
import { Row } from "../format/values.ts";
import { containerHeaders, containerRow } from "./summary-row.ts";

const columns = "{{.ID}}\\t{{.Image}}\\t{{.Command}}\\t{{.RunningFor}}\\t{{.Status}}\\t{{.Ports}}\\t{{.Names}}";

export const ls = command({
  usage: "[OPTIONS]",
  args: noArguments,
  examples: ["ps -a", "ps --filter status=exited --format '{{.Names}}: {{.Status}}'"],
  flags: {
    all: bool("a", "List containers that do not run, too"),
    filter: filters("f", "Show only what matches KEY=VALUE"),
    format: text(undefined, listFormat),
    last: int("n", "List the newest containers, running or not; -1: no limit", { initially: -1 }),
    latest: bool("l", "List the newest container only, running or not"),
    noTrunc: bool(undefined, "Print long values in full"),
    quiet: bool("q", "Print the IDs only"),
    size: bool("s", "Add the sizes of containers"),
  },
  run: async ({ flags, client, config, out, isTerminal }) => {
    const wanted = flags.format || (flags.quiet ? "" : ((await config()).formats["psFormat"] ?? "")) || "table";
    const last = flags.latest ? 1 : flags.last;
    const containers = await client.containers.list({
      all: flags.all,
      ...(last > 0 ? { limit: last } : {}),
      size: flags.size || asksForSize(wanted),
      filters: flags.filter,
    });
    const format = flags.quiet && wanted === "table" ? "{{.ID}}" : wanted;
    await printRows(
      (containers ?? []).map((container) => containerRow(container, { truncates: !flags.noTrunc, now: Date.now() })),
      { format, defaultTable: flags.size ? `${columns}\\t{{.Size}}` : columns, headers: containerHeaders, isTerminal: await isTerminal(1) },
      out,
    );
  },
});

/** Sizes cost the daemon a walk through every container's files: they are asked for only where a template shows them. */
function asksForSize(format: string): boolean {
  let isAsked = false;
  const row = containerRow({ Id: "" }, { truncates: true, now: 0 });
  const fields = Object.fromEntries(
    Object.keys(containerHeaders).map((name) => [name, () => ((isAsked ||= name === "Size"), row.get(name))]),
  );
  renderRows([new Row(row.typeName, fields, { Label: () => "" })], {
    format,
    defaultTable: columns,
    headers: containerHeaders,
    isTerminal: false,
  });
  return isAsked && format !== "json";
}
