/**
 * One record of conmon's k8s-file: `2026-11-22T05:38:37.851887215+00:00 stdout F text\n`. The head has always 45 bytes, because conmon runs
 * with TZ=UTC. `F`: the container wrote a newline here; `P`: it did not, and the `\n` is the file's own. The content never holds `\n`.
 * Source: conmon 2.1, src/ctr_logging.c.
 */
export const headBytes = 45;

/** conmon reads at most 8192 bytes at a time. */
export const longestRecordBytes = headBytes + 8192 + 1;

const [newline, space, letterT, letterF, letterP, dot, letterE, letterS] = [10, 32, 84, 70, 80, 46, 101, 115];

/** True when a record begins at `at`. Bytes behind the end of `bytes` are none of a head. */
export function isHead(bytes: Uint8Array, at: number): boolean {
  return (
    bytes[at + 10] === letterT &&
    bytes[at + 19] === dot &&
    bytes[at + 35] === space &&
    bytes[at + 36] === letterS &&
    bytes[at + 42] === space &&
    (bytes[at + 43] === letterF || bytes[at + 43] === letterP) &&
    bytes[at + 44] === space
  );
}

export function isStderr(bytes: Uint8Array, at: number): boolean {
  return bytes[at + 39] === letterE;
}

export function endsLine(bytes: Uint8Array, at: number): boolean {
  return bytes[at + 43] === letterF;
}

/** The record's time as RFC 3339 without trailing zeros, as Docker writes it. */
export function recordTime(bytes: Buffer, at: number): string {
  let end = at + 29;
  while (bytes[end - 1] === 48) end--;
  if (bytes[end - 1] === dot) end--;
  return `${bytes.toString("latin1", at, end)}Z`;
}

const headPattern = /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}[+-]\d\d:\d\d std(?:out|err) [FP] /;

/**
 * Position of the first head in `[from, to)`, -1 when there is none. Only for spools that met a full disk, where a record may be cut and go
 * on with the next one's head: at other times a container may have printed such text itself.
 */
export function findHead(bytes: Buffer, from: number, to: number): number {
  const match = headPattern.exec(bytes.toString("latin1", from, to));
  return match ? from + match.index : -1;
}

/** Position of the record's `\n`, -1 when it has not come yet. */
export function recordEnd(bytes: Uint8Array, from: number, length: number): number {
  const end = bytes.indexOf(newline, from);
  return end >= 0 && end < length ? end : -1;
}
