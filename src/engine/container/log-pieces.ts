import type { LogEntry } from "#drivers/log/types.ts";

const frameHeadBytes = 8;

interface PieceForm {
  /** Each entry has the head of Docker's stream protocol. Source: Engine API, ContainerAttach, "Stream format". */
  readonly framed: boolean;
  /** What stands before the text. */
  readonly prefix?: (entry: LogEntry) => string;
}

/** One piece for the client of all that was read at once: a write for each line of a long log would cost more than reading it. */
export function joinEntries(entries: readonly LogEntry[], { framed, prefix }: PieceForm): Uint8Array {
  const prefixes = prefix && entries.map((entry) => Buffer.from(prefix(entry)));
  const headBytes = framed ? frameHeadBytes : 0;
  let length = entries.length * headBytes;
  for (const { line } of entries) length += line.length;
  for (const bytes of prefixes ?? []) length += bytes.length;
  const piece = Buffer.allocUnsafeSlow(length);
  let at = 0;
  for (const [index, { stream, line }] of entries.entries()) {
    const before = prefixes?.[index];
    if (framed) {
      piece.writeUInt32BE(stream === "stderr" ? 0x02000000 : 0x01000000, at);
      piece.writeUInt32BE((before?.length ?? 0) + line.length, at + 4);
    }
    at += headBytes;
    if (before) piece.set(before, at);
    at += before?.length ?? 0;
    piece.set(line, at);
    at += line.length;
  }
  return piece;
}
