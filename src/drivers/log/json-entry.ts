import { parseTimeNano } from "#lib/clock.ts";
import type { LogEntry, OutputStream } from "./types.ts";

const textStart = 8; // {"log":"
const [quote, backslash] = [34, 92];
const tailPattern = /^,"stream":"(stdout|stderr)","time":"([^"\\]*)"\}$/;
const noAttributes = {};
const recordStart = '{"log":"';

/**
 * Reads one line of a json-file, by whoever it was written. Undefined when it is damaged; a record that follows a torn one in the same line
 * is found all the same, for a text cannot hold the beginning of a record without escapes.
 */
export function parseEntry(line: Buffer): LogEntry | undefined {
  const entry = parseUsual(line) ?? parseAny(line);
  if (entry) return entry;
  const start = line.lastIndexOf(recordStart);
  if (start <= 0) return undefined;
  const rest = line.subarray(start);
  return parseUsual(rest) ?? parseAny(rest);
}

/** A line as our converter writes it, without attributes: its text is copied, not parsed. */
function parseUsual(line: Buffer): LogEntry | undefined {
  if (line.toString("latin1", 0, textStart) !== recordStart) return undefined;
  let end = textStart;
  let escapes = 0;
  while (end < line.length && line[end] !== quote) {
    if (line[end] === backslash) {
      escapes++;
      end++;
    }
    end++;
  }
  const tail = tailPattern.exec(line.toString("latin1", end + 1));
  const timeNano = tail && timeOf(tail[2] ?? "");
  if (!tail || timeNano === undefined || timeNano === null) return undefined;
  const text = line.subarray(textStart, end);
  const bytes = escapes === 0 ? Buffer.from(text) : unescape(text);
  return bytes && { stream: tail[1] as OutputStream, timeNano, line: bytes, attributes: noAttributes };
}

/** The usual text has one escape, its newline; others go the general way. Undefined: it is no JSON string. */
function unescape(text: Buffer): Buffer | undefined {
  if (text.indexOf(backslash) === text.length - 2 && text[text.length - 1] === 110) {
    const bytes = Buffer.from(text.subarray(0, text.length - 1));
    bytes[bytes.length - 1] = 10;
    return bytes;
  }
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

/** Lines of one read of conmon share their time. */
let lastText = "";
let lastTime: bigint | undefined;

function timeOf(text: string): bigint | undefined {
  if (text !== lastText) {
    lastText = text;
    lastTime = parseTimeNano(text);
  }
  return lastTime;
}
