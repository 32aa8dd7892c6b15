import { command, noArguments } from "../command.ts";
import { bool, filters, int, text } from "../flag-kinds.ts";
import { printRows, renderRows } from "../format/rows.ts";
import { listFormat } from "../help-texts.ts";
import { Row } from "../format/values.ts";
import { containerHeaders, containerRow } from "./summary-row.ts";

const columns = "{{.ID}}\\t{{.Image}}\\t{{.Command}}\\t{{.RunningFor}}\\t{{.Status}}\\t{{.Ports}}\\t{{.Names}}";

const raw = `container_id: {{.ID}}
image: {{.Image}}
command: {{.Command}}
created_at: {{.CreatedAt}}
state: {{.State}}
status: {{.Status}}
names: {{.Names}}
labels:{{pad .Labels 1 0}}
ports:{{pad .Ports 1 0}}
`;

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
  run: async ({ flags, client, config, out, err }) => {
    if (flags.format !== "" && flags.quiet) await err.line("WARNING: Ignoring custom format, because both --format and --quiet are set.");
    const wanted = flags.format || ((await config()).formats["psFormat"] ?? "table");
    const last = flags.latest && flags.last === -1 ? 1 : flags.last;
    const containers = await client.containers.list({
      all: flags.all,
      ...(last > 0 ? { limit: last } : {}),
      size: flags.size || asksForSize(wanted),
      filters: flags.filter,
    });
    const rows = (containers ?? []).map((container) => containerRow(container, { truncates: !flags.noTrunc, now: Date.now() }));
    const isNamed = wanted === "table" || wanted === "raw";
    await printRows(
      rows,
      {
        format: flags.quiet && !isNamed ? "{{.ID}}" : wanted,
        defaultTable: flags.size ? `${columns}\\t{{.Size}}` : columns,
        raw: flags.size ? `${raw}size: {{.Size}}\\n` : raw,
        quiet: flags.quiet ? { table: "{{.ID}}", raw: "container_id: {{.ID}}" } : undefined,
        headers: containerHeaders,
      },
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
  renderRows([new Row(row.typeName, fields, { methods: { Label: () => "" } })], {
    format,
    defaultTable: columns,
    headers: containerHeaders,
  });
  return isAsked && format !== "json";
}
