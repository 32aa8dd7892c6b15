import type { SparseSegment, TarTime } from "./entry.ts";
import { TarError } from "./error.ts";

/** Extended headers of one entry. */
export interface PaxRecords {
  /** Byte strings; the last record of a key counts. */
  readonly values: Map<string, string>;
  /** Pairs of GNU's sparse format 0.0, which repeats its keys. */
  readonly sparsePairs: SparseSegment[];
}

export function emptyPax(): PaxRecords {
  return { values: new Map(), sparsePairs: [] };
}

/** Adds the records of one extended header. Source: POSIX pax, "pax Extended Header". */
export function parsePax(body: Buffer, into: PaxRecords, at: number): void {
  let pendingOffset: number | undefined;
  for (let start = 0; start < body.length;) {
    const space = body.indexOf(0x20, start);
    if (space <= start || space - start > 8) throw new TarError("bad extended header record", at);
    const end = start + paxInteger(body.toString("latin1", start, space), "record length", at);
    const equals = body.indexOf(0x3d, space);
    const wellFormed = end > start && end <= body.length && equals > space + 1 && equals < end && body[end - 1] === 0x0a;
    if (!wellFormed) throw new TarError("bad extended header record", at);
    const key = body.toString("latin1", space + 1, equals);
    const value = body.toString("latin1", equals + 1, end - 1);
    if (key === "GNU.sparse.offset") pendingOffset = paxInteger(value, key, at);
    else if (key === "GNU.sparse.numbytes" && pendingOffset !== undefined) {
      into.sparsePairs.push({ offset: pendingOffset, sizeBytes: paxInteger(value, key, at) });
      pendingOffset = undefined;
    } else into.values.set(key, value);
    start = end;
  }
}

/** A decimal integer of at most 2^53-1. */
export function paxInteger(value: string, field: string, at: number): number {
  const result = /^-?\d{1,19}$/.test(value) ? Number(value) : Number.NaN;
  if (!Number.isSafeInteger(result)) throw new TarError(`${field} is not a number`, at);
  return result;
}

/** Seconds with a fraction of any length; further than nanoseconds is cut off. */
export function paxTime(value: string, at: number): TarTime {
  const match = /^(-?)(\d{1,15})(?:\.(\d*))?$/.exec(value);
  if (!match) throw new TarError("mtime is not a time", at);
  const seconds = Number(match[2]);
  const nanoseconds = Number((match[3] ?? "").slice(0, 9).padEnd(9, "0"));
  if (!match[1]) return { seconds, nanoseconds };
  return nanoseconds === 0 ? { seconds: 0 - seconds, nanoseconds: 0 } : { seconds: -seconds - 1, nanoseconds: 1_000_000_000 - nanoseconds };
}
