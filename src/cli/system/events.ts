import type { EventMessage } from "#client/shapes.ts";
import { formatTimeNano } from "#lib/clock.ts";
import { messageOf } from "#lib/errors.ts";
import { command, noArguments } from "../command.ts";
import { ExitError } from "../errors.ts";
import { filters, text } from "../flag-kinds.ts";
import { renderRows } from "../format/rows.ts";
import { Row } from "../format/values.ts";
import { objectFormat } from "../help-texts.ts";
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
  run: async ({ flags, client, out }) => {
    const now = Date.now();
    if (flags.format !== "") checkTemplate(flags.format); // told before the first event
    const stream = client.system.events({ since: moment(flags.since, now), until: moment(flags.until, now), filters: flags.filter });
    for await (const event of stream) await out.write(eventLine(event, flags.format));
  },
});

function checkTemplate(format: string): void {
  try {
    eventLine({}, format);
  } catch (error) {
    throw new ExitError(64, messageOf(error).replace(/^failed to (parse|execute) template/, "Error parsing format"));
  }
}

function moment(value: string, now: number): string | undefined {
  if (value === "") return undefined;
  const time = unixTime(value, now);
  if (time === undefined) throw new ExitError(1, `failed to parse value as time or duration: ${JSON.stringify(value)}`);
  return time;
}

/** One event as text, with its line end. @param format  empty, `json`, or a template */
export function eventLine(event: EventMessage, format: string): string {
  // A template that begins with the word "table" is a template here: lines come one by one, and there are no columns to measure.
  if (format !== "") return renderRows([eventRow(event)], { format, hasTables: false, defaultTable: "", headers: {} });
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

function eventRow(event: EventMessage): Row {
  const attributes = event.Actor?.Attributes ?? {};
  const actor = new Row("events.Actor", { ID: () => event.Actor?.ID ?? "", Attributes: () => attributes }, { isStruct: true });
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
    From: () => (event.Type === "container" ? (attributes["image"] ?? "") : ""),
  };
  const old = { status: fields.Status(), id: fields.ID(), from: fields.From() };
  return new Row("*events.Message", fields, {
    isStruct: true,
    json: () => [
      ...Object.entries(old).filter(([, text]) => text !== ""),
      ["Type", fields.Type()],
      ["Action", fields.Action()],
      ["Actor", actor],
      ...(event.scope ? [["scope", event.scope] as const] : []),
      ...(event.time ? [["time", event.time] as const] : []),
      ...(event.timeNano ? [["timeNano", event.timeNano] as const] : []),
    ],
  });
}
