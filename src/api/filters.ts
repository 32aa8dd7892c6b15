import { systemClock } from "#lib/clock.ts";
import { EngineError } from "#lib/errors.ts";
import { parseTimeOrDuration } from "./decode/timestamp.ts";
import { type Filters } from "./decode/filters.ts";

/** Values of one filter; none when it was not sent. */
export function valuesOf(filters: Filters, name: string): readonly string[] {
  return filters.get(name) ?? [];
}

/** Every wanted label is there: `key` alone, or `key=value`. */
export function matchesLabels(labels: Readonly<Record<string, string>>, wanted: readonly string[]): boolean {
  return wanted.every((text) => {
    const at = text.indexOf("=");
    const key = at < 0 ? text : text.slice(0, at);
    return Object.hasOwn(labels, key) && (at < 0 || labels[key] === text.slice(at + 1));
  });
}

/** A filter on a name is a part of it, or a regular expression. */
export function matchesName(name: string, wanted: string): boolean {
  if (name === wanted || name.includes(wanted)) return true;
  // Longer patterns are nobody's name, and could take for ever.
  if (wanted.length > 256 || /\([^)]*[+*][^)]*\)[+*{]/.test(wanted)) return false;
  try {
    return new RegExp(wanted).test(name);
  } catch {
    return false; // no expression: the text itself did not match
  }
}

/** `until` of a prune: a time, or a duration before now. @throws {EngineError} `invalid` */
export function parseUntil(filters: Filters): bigint | undefined {
  const [value, ...more] = valuesOf(filters, "until");
  if (more.length > 0) throw new EngineError("invalid", "more than one until filter specified");
  return value === undefined ? undefined : parseTimeOrDuration(value, systemClock.nowNano());
}
