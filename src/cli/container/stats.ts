import type { Client } from "#client/client.ts";
import { messageOf } from "#lib/errors.ts";
import { anyNumber, command } from "../command.ts";
import { printFailures } from "../each.ts";
import { ExitError } from "../errors.ts";
import { bool, text } from "../flag-kinds.ts";
import { renderRows } from "../format/rows.ts";
import { listFormat } from "../help-texts.ts";
import { withoutControls, type Output } from "../output.ts";
import { statsHeaders, statsRow, type StatsEntry } from "./stats-row.ts";
import { StatsTable } from "./stats-table.ts";

const columns = ["ID", "Name", "CPUPerc", "MemUsage", "MemPerc", "NetIO", "BlockIO", "PIDs"].map((field) => `{{.${field}}}`).join("\\t");

const redrawMilliseconds = 500;

export const stats = command({
  usage: "[OPTIONS] [CONTAINER...]",
  args: anyNumber,
  completes: "running",
  examples: ["stats", "stats --no-stream --format '{{.Name}}: {{.CPUPerc}}'"],
  flags: {
    all: bool("a", "Show containers that do not run, too"),
    format: text(undefined, listFormat),
    noStream: bool(undefined, "Print once, and do not go on"),
    noTrunc: bool(undefined, "Print long values in full"),
  },
  run: async ({ args, flags, client, config, out, err }) => {
    const format = flags.format || ((await config()).formats["statsFormat"] ?? "table");
    const table = new StatsTable(client, !flags.noStream);
    const render = (entries: readonly StatsEntry[]): string => renderStats(entries, format, !flags.noTrunc);
    render([]); // a bad template is told before anything is asked
    // Listened to before the list is read: nothing that is started in between is missed. Without events, what was there at first is shown.
    if (args.length === 0 && !flags.noStream) void followEvents(table, client, flags.all).catch(() => undefined);
    for (const name of args.length > 0 ? args : await listed(client, flags.all)) table.add(name);
    const failures = await table.settled();
    if (args.length > 0 && failures.length > 0) return printFailures({ err }, failures);
    if (flags.noStream) return out.write(render(table.entries()));
    for (;;) {
      await redraw(render(table.entries()), out);
      if (args.length > 0 && table.isOver) return;
      await Bun.sleep(redrawMilliseconds);
    }
  },
});

/** @throws {ExitError} with Docker's words for a bad template, which are others here than of lists */
function renderStats(entries: readonly StatsEntry[], format: string, truncates: boolean): string {
  const rows = entries.map((entry) => statsRow(entry, { truncates }));
  try {
    return renderRows(rows, { format, defaultTable: columns, headers: statsHeaders });
  } catch (error) {
    throw new ExitError(1, messageOf(error).replace(/^failed to (execute|parse) template/, "template parsing error"));
  }
}

/** What runs, or everything, by short id. */
async function listed(client: Client, all: boolean): Promise<string[]> {
  return ((await client.containers.list({ all })) ?? []).map(({ Id }) => Id.slice(0, 12));
}

/** Adds and removes what comes and goes. */
async function followEvents(table: StatsTable, client: Client, all: boolean): Promise<void> {
  const filters = { type: ["container"], event: ["create", "start", "die", "destroy"] };
  for await (const { Action, Actor } of client.system.events({ filters })) {
    const id = (Actor?.ID ?? "").slice(0, 12);
    if (Action === "start" || (Action === "create" && all)) table.add(id);
    if (Action === "destroy" || (Action === "die" && !all)) table.remove(id);
  }
}

/** Over the text before it, from the upper left corner; what was longer is erased. Bytes, since `Output` takes such movements out of text. */
async function redraw(text: string, out: Output): Promise<void> {
  const lines = text.split("\n").map((line) => `${withoutControls(line)} \u001b[K\n`);
  await out.write(new TextEncoder().encode(`\u001b[H${lines.join("")}\u001b[J`));
}
