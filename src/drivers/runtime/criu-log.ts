/** What criu says last is only that it has failed. */
const verdict = /^(Dumping|Restoring) FAILED\.?$/;

/** Lines between an error and those that follow from it. */
const gapLines = 5;

/**
 * The reason in a log of criu; undefined when there is none. Errors early in it may be of no consequence; at the end one follows from
 * another, and the first of them is the reason.
 * Lines are `(00.012345) Error (criu/file.c:123): text`, with the pid of a restored process before the word.
 */
export function criuReason(log: string): string | undefined {
  let reason: string | undefined;
  let lastAt = -Infinity;
  for (const [index, line] of log.split("\n").entries()) {
    const text = /^(?:\([\d.]+\))?\s*(?:\d+:\s*)?Error \([^)]*\): (.*)$/.exec(line)?.[1]?.trim();
    if (text === undefined || verdict.test(text)) continue;
    if (index - lastAt > gapLines) reason = text;
    lastAt = index;
  }
  return reason;
}

/** A log at its fullest tells every page; the reason stands near the end. */
const readBytes = 1 << 18;

/** The reason in criu's log file; undefined when there is no such file. */
export async function readCriuReason(path: string): Promise<string | undefined> {
  const file = Bun.file(path);
  if (!(await file.exists())) return undefined;
  return criuReason(await file.slice(Math.max(0, file.size - readBytes)).text());
}
