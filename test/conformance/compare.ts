import type { Facts } from "./perform.ts";
import type { Fact } from "./play.ts";

/** One place where the facts differ. Absent keys are `undefined`. */
export interface Difference {
  readonly play: string;
  /** What was called, and the path inside its fact: `POST /v1.51/containers/create → body.Id`. */
  readonly place: string;
  readonly recorded: unknown;
  readonly seen: unknown;
}

/** Every difference of one play, in order. */
export function comparePlay(play: string, recorded: readonly Fact[], seen: readonly Fact[]): Difference[] {
  const differences: Difference[] = [];
  for (let index = 0; index < Math.max(recorded.length, seen.length); index++) {
    const [a, b] = [recorded[index], seen[index]];
    collect(a, b, "", (path, was, is) => {
      differences.push({ play, place: `${index}. ${title(a ?? b)} → ${path}`, recorded: was, seen: is });
    });
  }
  return differences;
}

export function compareFacts(recorded: Facts, seen: Facts): Difference[] {
  return Object.keys(seen).flatMap((play) => comparePlay(play, recorded[play] ?? [], seen[play] ?? []));
}

export function describeDifference({ place, recorded, seen }: Difference): string {
  const text = (value: unknown): string => (value === undefined ? "(absent)" : JSON.stringify(value));
  return `${place}\n    Docker: ${text(recorded)}\n    here:   ${text(seen)}`;
}

function collect(a: unknown, b: unknown, path: string, report: (path: string, a: unknown, b: unknown) => void): void {
  if (Bun.deepEquals(a, b, true)) return;
  const comparable = isTree(a) && isTree(b) && Array.isArray(a) === Array.isArray(b);
  // Lists of texts read better whole than line by line.
  if (!comparable || isTexts(a) || isTexts(b)) return report(path, a, b);
  for (const key of new Set([...Object.keys(a), ...Object.keys(b)])) collect(a[key], b[key], path === "" ? key : `${path}.${key}`, report);
}

function title(fact: Fact | undefined): string {
  if (fact === undefined) return "?";
  if ("call" in fact) return fact.call;
  if ("command" in fact) return fact.command;
  if ("stream" in fact) return fact.stream;
  return "note" in fact ? fact.note : "events";
}

function isTree(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}

function isTexts(value: unknown): boolean {
  return Array.isArray(value) && value.every((element) => typeof element === "string");
}
