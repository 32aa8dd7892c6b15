import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { isMissing } from "../log-files.ts";
import type { OutputStream } from "../types.ts";

/** How far a log has been sent. */
export interface SentCursor {
  /** The file, and the position in its text. */
  readonly sequence: number;
  readonly offset: number;
  /** Records sent since the beginning of the log. */
  readonly records: number;
  /** Lines of which parts have been sent. */
  readonly open: Readonly<Partial<Record<OutputStream, { readonly id: string; readonly ordinal: number }>>>;
}

export const nothingSent: SentCursor = { sequence: 0, offset: 0, records: 0, open: {} };

const pathIn = (logsFolder: string): string => `${logsFolder}/sent`;

/** Undefined when nothing was sent, or what is there cannot be read: then all is sent again. */
export function readSentCursor(logsFolder: string): SentCursor | undefined {
  let text: string;
  try {
    text = readFileSync(pathIn(logsFolder), "utf8");
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
  return parse(text);
}

/** Renamed into place: a kill leaves the old one or the new one. No sync: after a power loss records are sent again. */
export function writeSentCursor(logsFolder: string, cursor: SentCursor): void {
  const path = pathIn(logsFolder);
  writeFileSync(`${path}.tmp`, JSON.stringify(cursor), { mode: 0o600 });
  renameSync(`${path}.tmp`, path);
}

function parse(text: string): SentCursor | undefined {
  let value: Partial<SentCursor> | null;
  try {
    value = JSON.parse(text) as typeof value;
  } catch {
    return undefined; // torn by a power loss
  }
  const { sequence, offset, records, open } = value ?? {};
  if (!Number.isSafeInteger(sequence) || !Number.isSafeInteger(offset) || typeof open !== "object") return undefined;
  return { sequence: Number(sequence), offset: Number(offset), records: Number(records) || 0, open };
}
