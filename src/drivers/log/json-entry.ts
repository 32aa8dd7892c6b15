import { parseTimeNano } from "#lib/clock.ts";
import type { LogEntry, OutputStream } from "./types.ts";

const textStart = 8; // {"log":"
const [quote, backslash] = [34, 92];
const tailPattern = /^,"stream":"(stdout|stderr)","time":"([^"\\]*)"\}$/;
const newlineEscape = 110; // \n
const noAttributes = {};
const recordStart = '{"log":"';
const startBytes = Buffer.from(recordStart);

/**
 * Reads one line of a json-file, by whoever it was written. Undefined when it is damaged; a record that follows a torn one in the same line
 * is found all the same, for a text cannot hold the beginning of a record without escapes. The entry's text lies in `line`, which is changed
 * for that.
 */
export function parseEntry(line: Buffer): LogEntry | undefined {
  const entry = parseUsual(line) ?? parseAny(line);
  if (entry) return entry;
  const start = line.lastIndexOf(recordStart);
  if (start <= 0) return undefined;
  const rest = line.subarray(start);
  return parseUsual(rest) ?? parseAny(rest);
}

/** A line as our converter writes it, without attributes: its text is taken as it is, not parsed. */
function parseUsual(line: Buffer): LogEntry | undefined {
  for (let at = 0; at < textStart; at++) if (line[at] !== startBytes[at]) return undefined;
  let end = textStart;
  let escapes = 0;
  while (end < line.length && line[end] !== quote) {
    if (line[end] === backslash) {
      escapes++;
      end++;
    }
    end++;
  }
  const tail = tailOf(line.toString("latin1", end + 1));
  if (!tail) return undefined;
  const bytes = escapes === 0 ? line.subarray(textStart, end) : unescape(line, end, escapes);
  return bytes && { stream: tail.stream, timeNano: tail.timeNano, line: bytes, attributes: noAttributes };
}

/** The usual text has one escape, its newline at the end; others go the general way. Undefined: it is no JSON string. */
function unescape(line: Buffer, end: number, escapes: number): Buffer | undefined {
  if (escapes === 1 && line[end - 1] === newlineEscape && line[end - 2] === backslash) {
    line[end - 2] = 10;
    return line.subarray(textStart, end - 1);
  }
  const text = line.subarray(textStart, end);
  try {
    return Buffer.from(JSON.parse(`"${text.toString()}"`) as string);
  } catch {
    return undefined; // damaged
  }
}

function parseAny(line: Buffer): LogEntry | undefined {
  let value: { log?: unknown; stream?: unknown; time?: unknown; attrs?: unknown } | null;
  try {
    value = JSON.parse(line.toString()) as typeof value;
  } catch {
    return undefined; // damaged
  }
  if (typeof value !== "object" || value === null || typeof value.log !== "string" || typeof value.time !== "string") return undefined;
  const timeNano = timeOf(value.time);
  if (timeNano === undefined) return undefined;
  const stream = value.stream === "stderr" ? "stderr" : "stdout";
  return { stream, timeNano, line: Buffer.from(value.log), attributes: attributesOf(value.attrs) };
}

function attributesOf(value: unknown): LogEntry["attributes"] {
  if (typeof value !== "object" || value === null) return noAttributes;
  return Object.fromEntries(Object.entries(value).filter((pair): pair is [string, string] => typeof pair[1] === "string"));
}

interface Tail {
  readonly stream: OutputStream;
  readonly timeNano: bigint;
}

/** Lines of one read of conmon share their time. */
let lastTailText = "";
let lastTail: Tail | undefined;

/** Stream and time, as the usual line ends with them. */
function tailOf(text: string): Tail | undefined {
  if (text !== lastTailText) {
    lastTailText = text;
    const [, stream, time = ""] = tailPattern.exec(text) ?? [];
    const timeNano = timeOf(time);
    lastTail = stream === undefined || timeNano === undefined ? undefined : { stream: stream as OutputStream, timeNano };
  }
  return lastTail;
}

let lastText = "";
let lastTime: bigint | undefined;

function timeOf(text: string): bigint | undefined {
  if (text !== lastText) {
    lastText = text;
    lastTime = parseTimeNano(text);
  }
  return lastTime;
}
