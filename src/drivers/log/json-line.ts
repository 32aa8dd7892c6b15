import type { LogLineFormat } from "./line-format.ts";
import type { LogEntry } from "./types.ts";

/** What a byte of text needs: 0 nothing, 1 an escape, 2 a look at its neighbours (UTF-8). */
export const escapeClass = Uint8Array.from({ length: 256 }, (_, byte) => {
  if (byte >= 128) return 2;
  return byte < 32 || '"\\<>&'.includes(String.fromCharCode(byte)) ? 1 : 0;
});

/** Bytes that one byte of text can grow to (`\ufffd`). */
export const escapeGrowth = 6;

const hex = Buffer.from("0123456789abcdef");
const replacement = Buffer.from("\\ufffd");
const backslash = 92;

/**
 * Writes `source[start, end)` as the inside of a JSON string and returns the position behind it. As Docker's jsonlog: `<`, `>`, `&` and
 * control characters except `\n` and `\r` become `\u00xx`, each byte that is not UTF-8 `\ufffd`, U+2028 and U+2029 their escapes.
 * Compared with dockerd 28.5.
 */
export function escapeInto(source: Uint8Array, start: number, end: number, target: Uint8Array, at: number): number {
  let position = start;
  while (position < end) {
    const byte = source[position] ?? 0;
    const kind = escapeClass[byte];
    if (kind === 0) {
      target[at++] = byte;
      position++;
    } else if (kind === 1) {
      at = escapeByte(byte, target, at);
      position++;
    } else {
      const length = sequenceLength(source, position, end);
      at = writeSequence(source, position, length, target, at);
      position += Math.max(length, 1);
    }
  }
  return at;
}

function escapeByte(byte: number, target: Uint8Array, at: number): number {
  target[at++] = backslash;
  if (byte === 34 || byte === backslash) target[at++] = byte;
  else if (byte === 10) target[at++] = 110;
  else if (byte === 13) target[at++] = 114;
  else {
    target[at++] = 117;
    target[at++] = 48;
    target[at++] = 48;
    target[at++] = hex[byte >> 4] ?? 0;
    target[at++] = hex[byte & 15] ?? 0;
  }
  return at;
}

/** Length of the UTF-8 sequence at `position`, 0 when it is none. Source: Unicode, table 3-7. */
function sequenceLength(source: Uint8Array, position: number, end: number): number {
  const first = source[position] ?? 0;
  const second = position + 1 < end ? (source[position + 1] ?? 0) : 0;
  if (first >= 0xc2 && first <= 0xdf) return isContinuation(second) ? 2 : 0;
  const third = position + 2 < end ? (source[position + 2] ?? 0) : 0;
  if (first >= 0xe0 && first <= 0xef) {
    const misplaced = (first === 0xe0 && second < 0xa0) || (first === 0xed && second > 0x9f);
    return isContinuation(second) && isContinuation(third) && !misplaced ? 3 : 0;
  }
  const fourth = position + 3 < end ? (source[position + 3] ?? 0) : 0;
  if (first < 0xf0 || first > 0xf4) return 0;
  const misplaced = (first === 0xf0 && second < 0x90) || (first === 0xf4 && second > 0x8f);
  return isContinuation(second) && isContinuation(third) && isContinuation(fourth) && !misplaced ? 4 : 0;
}

function isContinuation(byte: number): boolean {
  return (byte & 0xc0) === 0x80;
}

function writeSequence(source: Uint8Array, position: number, length: number, target: Uint8Array, at: number): number {
  if (length === 0) {
    target.set(replacement, at);
    return at + replacement.length;
  }
  const third = source[position + 2] ?? 0;
  if (length === 3 && source[position] === 0xe2 && source[position + 1] === 0x80 && (third & 0xfe) === 0xa8) {
    target.set([backslash, 117, 50, 48, 50, hex[third & 15] ?? 0], at);
    return at + 6;
  }
  for (let index = 0; index < length; index++) target[at++] = source[position + index] ?? 0;
  return at;
}

/** A text as Go's encoding/json writes it. */
export function goString(text: string): string {
  const source = Buffer.from(text);
  const target = Buffer.allocUnsafe(source.length * escapeGrowth + 2);
  return `"${target.toString("utf8", 0, escapeInto(source, 0, source.length, target, 0))}"`;
}

/** What stands between the text of a line and its time; the same for all lines of one stream of one container. */
export interface LineFormat extends LogLineFormat {
  readonly stdout: Buffer;
  readonly stderr: Buffer;
}

export const lineStart = Buffer.from('{"log":"');

/** Keys of `attrs` in the order of Go's maps in JSON: by bytes. */
export function lineFormat(attributes: LogEntry["attributes"]): LineFormat {
  const names = Object.keys(attributes).sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  const pairs = names.map((name) => `${goString(name)}:${goString(attributes[name] ?? "")}`);
  const attrs = pairs.length === 0 ? "" : `"attrs":{${pairs.join(",")}},`;
  const middle = (stream: string): Buffer => Buffer.from(`","stream":"${stream}",${attrs}"time":"`);
  const [stdout, stderr] = [middle("stdout"), middle("stderr")];
  return {
    stdout,
    stderr,
    ownLine: (text, time) => jsonLine(stderr, text, time),
    restOfLine: (output, cut, length) => restOfLine(output, cut, length, [stdout, stderr]),
  };
}

function jsonLine(middle: Buffer, text: string, time: string): Buffer {
  const inner = goString(`${text}\n`).slice(1, -1);
  return Buffer.concat([lineStart, Buffer.from(inner), middle, Buffer.from(`${time}"}\n`)]);
}

const newline = 10;
const letterU = 117;

/**
 * What ends the line that is cut at `cut`, as shortly as possible, so that the file stays readable: the escape that is cut, and all that
 * follows the text. Empty when `cut` is the beginning of a line.
 */
function restOfLine(output: Buffer, cut: number, length: number, ends: readonly Buffer[]): Buffer {
  if (cut === 0 || output[cut - 1] === newline || cut >= length) return Buffer.alloc(0);
  const start = output.lastIndexOf(newline, cut - 1) + 1;
  const textStart = start + lineStart.length;
  const end = output.indexOf(newline, cut) + 1;
  // Quotes inside the text are escaped: the first match is the end of the text.
  const middles = ends.map((middle) => output.indexOf(middle, start)).filter((at) => at >= 0 && at < end);
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
