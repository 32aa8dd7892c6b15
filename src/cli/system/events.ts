import type { EventMessage } from "#client/shapes.ts";
import { formatTimeNano } from "#lib/clock.ts";
import { messageOf } from "#lib/errors.ts";
import { command, noArguments } from "../command.ts";
import { ExitError } from "../errors.ts";
import { filters, text } from "../flag-kinds.ts";
import { renderRows } from "../format/rows.ts";
import { Row } from "../format/values.ts";
import { objectFormat } from "../help-texts.ts";
import { withoutControls } from "../output.ts";
import { unixTime } from "../timestamps.ts";

export const events = command({
  usage: "[OPTIONS]",
  args: noArguments,
  flags: {
    filter: filters("f", "Show only what matches KEY=VALUE"),
    format: text(undefined, objectFormat),
    since: text(undefined, "Begin with what happened at this time, or this long ago"),
    until: text(undefined, "End at this time, not only when interrupted"),
  },
  run: async ({ flags, client, out, isTerminal }) => {
    const now = Date.now();
    const clean = (await isTerminal(1)) ? withoutControls : (line: string): string => line;
    if (flags.format !== "") checkTemplate(flags.format); // told before the first event
    const stream = client.system.events({ since: moment(flags.since, now), until: moment(flags.until, now), filters: flags.filter });
    for await (const { event, text } of stream)
      await out.write(clean(flags.format === "json" ? `${text}\n` : eventLine(event, flags.format, text)));
  },
});

function checkTemplate(format: string): void {
  try {
    renderRows([], options(format));
  } catch (error) {
    throw new ExitError(64, messageOf(error).replace(/^failed to parse template/, "Error parsing format"));
  }
}

function moment(value: string, now: number): string | undefined {
  if (value === "") return undefined;
  const time = unixTime(value, now);
  if (time === undefined) throw new ExitError(1, `failed to parse value as time or duration: ${JSON.stringify(value)}`);
  return time;
}

const options = (format: string) => ({ format, defaultTable: "", headers: {}, isTerminal: false });

/** One event as text, with its line end. @param format  empty, or a template. @param text  the event's JSON */
export function eventLine(event: EventMessage, format: string, text: string): string {
  if (format !== "") return renderRows([eventRow(event, text)], options(format));
  const time = event.timeNano ? formatTimeNano(event.timeNano) : event.time ? formatTimeNano(BigInt(event.time) * 1_000_000_000n) : "";
  const attributes = Object.entries(event.Actor?.Attributes ?? {})
    .toSorted(([one], [other]) => (one < other ? -1 : 1))
    .map(([key, value]) => `${key}=${value}`);
  const shown = attributes.length > 0 ? ` (${attributes.join(", ")})` : "";
  return `${time ? `${padded(time)} ` : ""}${event.Type ?? ""} ${event.Action ?? ""} ${event.Actor?.ID ?? ""}${shown}\n`;
}

/** Docker writes all nine digits of the fraction. */
const padded = (time: string): string =>
  time.replace(/(?:\.(\d+))?Z$/, (_, digits: string | undefined) => `.${(digits ?? "").padEnd(9, "0")}Z`);

function eventRow(event: EventMessage, text: string): Row {
  const actor = new Row("events.Actor", { ID: () => event.Actor?.ID ?? "", Attributes: () => event.Actor?.Attributes ?? {} });
  const fields = {
    Type: () => event.Type ?? "",
    Action: () => event.Action ?? "",
    Actor: () => actor,
    Scope: () => event.scope ?? "",
    Time: () => event.time ?? 0,
    TimeNano: () => event.timeNano ?? 0n,
    // Names of before 1.22, which old templates still use.
    Status: () => (event.Type === "container" || event.Type === "image" ? (event.Action ?? "") : ""),
    ID: () => (event.Type === "container" || event.Type === "image" ? (event.Actor?.ID ?? "") : ""),
    From: () => (event.Type === "container" ? (event.Actor?.Attributes?.["image"] ?? "") : ""),
  };
  return new Row("*events.Message", fields, {}, text);
}
