import { EngineError } from "#lib/errors.ts";

/** No kernel is built for more CPUs or memory nodes. */
const maximumNumber = 8192;

/**
 * Checks a list such as `0-2,5` against what the host has.
 * @param available  the host's own list; empty when it is not known
 * @throws {EngineError} `invalid` with Docker's texts
 */
export function validateCpuset(kind: "cpus" | "mems", text: string, available: string): void {
  if (text === "") return;
  const ranges = parseRanges(kind, text);
  if (available === "") return;
  const has = parseRanges(kind, available);
  // The host's ranges do not touch each other, so that each wanted one must lie in one of them.
  const isThere = ranges.every(([first, last]) => has.some(([from, to]) => from <= first && last <= to));
  const nouns = { cpus: "CPUs", mems: "memory nodes" };
  if (!isThere) throw new EngineError("invalid", `Requested ${nouns[kind]} are not available - requested ${text}, available: ${available}`);
}

function parseRanges(kind: string, text: string): (readonly [first: number, last: number])[] {
  const fail = (why: string): EngineError => new EngineError("invalid", `Invalid value ${text} for cpuset ${kind}: ${why}`);
  return text.split(",").map((part) => {
    const [, first, last = first] = /^(\d+)(?:-(\d+))?$/.exec(part) ?? [];
    if (first === undefined || Number(first) > Number(last)) throw fail(`invalid format: ${text}`);
    if (Number(last) > maximumNumber) throw fail(`value of out range, maximum is ${maximumNumber}`);
    return [Number(first), Number(last)] as const;
  });
}
