import type { Difference } from "./compare.ts";

/** A difference from Docker that is meant. Everything given must match; a text is the whole value, a pattern is searched for in it. */
export interface WantedDifference {
  readonly play?: string | RegExp;
  readonly place?: RegExp;
  readonly recorded?: unknown;
  readonly seen?: unknown;
  /** The decision of docs/architecture.md, or the id of the requirement, that wants it. */
  readonly because: string;
}

export const wantedDifferences: readonly WantedDifference[] = [];

export function isWanted(difference: Difference): boolean {
  return wantedDifferences.some((wanted) => covers(wanted, difference));
}

export function covers(wanted: WantedDifference, difference: Difference): boolean {
  return (
    (wanted.play === undefined || matches(wanted.play, difference.play)) &&
    (wanted.place === undefined || wanted.place.test(difference.place)) &&
    (!("recorded" in wanted) || matches(wanted.recorded, difference.recorded)) &&
    (!("seen" in wanted) || matches(wanted.seen, difference.seen))
  );
}

function matches(wanted: unknown, value: unknown): boolean {
  if (wanted instanceof RegExp) return wanted.test(typeof value === "string" ? value : JSON.stringify(value ?? "(absent)"));
  return Bun.deepEquals(wanted, value);
}
