import type { Converter } from "./convert.ts";
import { JsonConverter } from "./json-converter.ts";
import { lineFormat } from "./json-line.ts";
import type { LogLineFormat } from "./line-format.ts";
import { LocalConverter, localFormat } from "./local/converter.ts";
import type { UnfinishedLines } from "./convert.ts";
import type { LogEntry } from "./types.ts";

/** Converters of every form, on one output buffer; all containers of a worker use them in turn. */
export interface Converters {
  readonly json: JsonConverter;
  readonly local: LocalConverter;
}

export function makeConverters(): Converters {
  const json = new JsonConverter();
  return { json, local: new LocalConverter(json.output) };
}

/** The form of one container's lines, and what makes them. */
export interface LogLines {
  readonly format: LogLineFormat;
  readonly converter: Converter;
  begin(unfinished: UnfinishedLines, prefix: Uint8Array): void;
}

export function logLines(converters: Converters, form: "json" | "local", attributes: LogEntry["attributes"]): LogLines {
  if (form === "json") return linesOf(converters.json, lineFormat(attributes));
  return linesOf(converters.local, localFormat);
}

function linesOf<Format extends LogLineFormat>(converter: Converter<Format>, format: Format): LogLines {
  return { format, converter, begin: (unfinished, prefix) => converter.begin(format, unfinished, prefix) };
}
