import type { LogEntry, OutputStream } from "../types.ts";

/**
 * One line of the driver `local`: eleven digits of time, one letter, the text as it is, a newline. A text holds no newline, so that no line
 * can forge another, and a damaged one hides only itself. The digits are in the order of their bytes: later lines sort behind earlier ones.
 */
export const recordHeadBytes = 12;

const timeDigits = 11;
const alphabet = "-0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz";
const digits = Buffer.from(alphabet);
const values = new Map([...digits].map((byte, value) => [byte, BigInt(value)]));

/** `whole`: a line; `part`: 16 KiB of a longer one, or the end of an output without a newline; `last`: the rest of one that has parts. */
export type LineKind = "whole" | "part" | "last";

export interface LocalRecord {
  readonly stream: OutputStream;
  readonly kind: LineKind;
  readonly timeNano: bigint;
  /** Without a newline; valid as long as the line it was read from. */
  readonly text: Buffer;
}

const kinds: readonly (readonly [letter: string, stream: OutputStream, kind: LineKind])[] = [
  ["o", "stdout", "whole"],
  ["p", "stdout", "part"],
  ["l", "stdout", "last"],
  ["O", "stderr", "whole"],
  ["P", "stderr", "part"],
  ["L", "stderr", "last"],
];
const kindOfLetter = new Map(kinds.map(([letter, stream, kind]) => [letter.charCodeAt(0), { stream, kind }]));

export function kindLetter(stderr: boolean, kind: LineKind): number {
  const found = kinds.find(([, stream, its]) => its === kind && stream === (stderr ? "stderr" : "stdout"));
  return found?.[0].charCodeAt(0) ?? 0;
}

/** Writes the digits of a time and returns the position behind them. */
export function writeTime(timeNano: bigint, target: Buffer, at: number): number {
  let rest = timeNano;
  for (let index = timeDigits - 1; index >= 0; index--) {
    target[at + index] = digits[Number(rest & 63n)] ?? 0;
    rest >>= 6n;
  }
  return at + timeDigits;
}

/** Undefined when there is no time. */
export function readTime(bytes: Buffer, at: number): bigint | undefined {
  let time = 0n;
  for (let index = 0; index < timeDigits; index++) {
    const value = values.get(bytes[at + index] ?? 0);
    if (value === undefined) return undefined;
    time = (time << 6n) | value;
  }
  return time;
}

/** Lines of one read of conmon share their time. */
const lastDigits = Buffer.alloc(timeDigits);
let lastTime: bigint | undefined;

function timeOf(line: Buffer): bigint | undefined {
  if (lastDigits.compare(line, 0, timeDigits) === 0) return lastTime;
  line.copy(lastDigits, 0, 0, timeDigits);
  lastTime = readTime(line, 0);
  return lastTime;
}

/** Reads a line without its newline. Undefined when it is damaged. */
export function parseRecord(line: Buffer): LocalRecord | undefined {
  const kind = kindOfLetter.get(line[timeDigits] ?? 0);
  if (!kind) return undefined;
  const timeNano = timeOf(line);
  return timeNano === undefined ? undefined : { ...kind, timeNano, text: line.subarray(recordHeadBytes) };
}

const noAttributes = {};
const newline = Buffer.from("\n");

/** The record as an entry of `logs`. */
export function parseLocalEntry(line: Buffer): LogEntry | undefined {
  const record = parseRecord(line);
  if (!record) return undefined;
  const { stream, timeNano, text, kind } = record;
  return { stream, timeNano, line: kind === "part" ? Buffer.from(text) : Buffer.concat([text, newline]), attributes: noAttributes };
}
