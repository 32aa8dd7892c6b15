import { formatTimeNano, systemClock } from "#lib/clock.ts";
import { jsonLine, lineStart, type LineFormat } from "./json-line.ts";

/** Lines that the log itself tells of what it lacks. */
export const lossTexts = {
  diskFull: (bytes: number) => `${bytes} bytes of log lost: disk full`,
  tooSlow: (bytes: number) => `${bytes} bytes of log lost: the container writes faster than the log`,
  gap: "lines of log may be missing here: the daemon was away while more than one spool segment was written",
};

export function lossLine(format: LineFormat, text: string): Buffer {
  return jsonLine(format, text, formatTimeNano(systemClock.nowNano()));
}

const newline = 10;
const backslash = 92;
const letterU = 117;

/**
 * What ends the line that is cut at `cut`, as shortly as possible, so that the file stays readable: the escape that is cut, and all that
 * follows the text. Empty when `cut` is the beginning of a line.
 */
export function restOfLine(output: Buffer, cut: number, length: number, format: LineFormat): Buffer {
  if (cut === 0 || output[cut - 1] === newline || cut >= length) return Buffer.alloc(0);
  const start = output.lastIndexOf(newline, cut - 1) + 1;
  const textStart = start + lineStart.length;
  const end = output.indexOf(newline, cut) + 1;
  // Quotes inside the text are escaped: the first match is the end of the text.
  const middles = [format.stdout, format.stderr].map((middle) => output.indexOf(middle, start)).filter((at) => at >= 0 && at < end);
  const textEnd = Math.min(...middles);
  if (middles.length === 0 || cut >= textEnd) return Buffer.from(output.subarray(cut, end));
  const boundary = Math.min(escapeEnd(output, textStart, cut), textEnd);
  return Buffer.concat([output.subarray(cut, boundary), output.subarray(textEnd, end)]);
}

/** First position of the text at or after `cut` that is inside of no escape and no UTF-8 sequence. */
function escapeEnd(output: Buffer, textStart: number, cut: number): number {
  let at = textStart;
  while (at < cut) {
    if (output[at] === backslash) at += output[at + 1] === letterU ? 6 : 2;
    else at++;
  }
  while (((output[at] ?? 0) & 0xc0) === 0x80) at++;
  return at;
}
