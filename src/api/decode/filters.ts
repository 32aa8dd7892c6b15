import { EngineError } from "#lib/errors.ts";
import { decodeJson } from "./decode.ts";
import type { Inputs } from "./generated/schema.ts";

/** Name of a filter → its values, in the order they were sent. */
export type Filters = ReadonlyMap<string, readonly string[]>;

/**
 * The parameter `filters`: JSON, either `{"status":["running"]}` or `{"status":{"running":true}}`, where the values of the map do not
 * matter. Not there or null: no filters.
 * @param accepted  names the operation knows; absent: all (events)
 * @throws {EngineError} `invalid`: `invalid filter`, or `invalid filter 'NAME'` for a name that is not accepted
 */
export function queryFilters(query: URLSearchParams, accepted?: readonly string[]): Filters {
  const text = query.get("filters");
  const filters = text ? parseFilters(text) : new Map<string, readonly string[]>();
  const unknown = accepted && [...filters.keys()].find((name) => !accepted.includes(name));
  if (unknown !== undefined) throw new EngineError("invalid", `invalid filter '${unknown}'`);
  return filters;
}

/** The JSON alone, for filters that come in another way. */
export function parseFilters(text: string): Filters {
  const sets = attempt("FilterSets", text);
  if (sets) return new Map(Object.entries(sets).map(([name, values]) => [name, Object.keys(values)]));
  const lists = attempt("FilterLists", text);
  if (!lists) throw new EngineError("invalid", "invalid filter");
  return new Map(Object.entries(lists).map(([name, values]) => [name, [...new Set(values ?? [])]]));
}

function attempt<Name extends "FilterSets" | "FilterLists">(name: Name, text: string): Inputs[Name] | undefined {
  try {
    return decodeJson(name, text);
  } catch (error) {
    if (error instanceof EngineError) return undefined; // the other notation, or none: the message says neither
    throw error;
  }
}

/**
 * A filter that is `true` or `1`, `false` or `0`, such as `dangling`; undefined when it is not there.
 * @throws {EngineError} `invalid`: `invalid filter 'dangling=[x]'`, also when both are asked for
 */
export function booleanFilter(filters: Filters, name: string): boolean | undefined {
  const values = filters.get(name) ?? [];
  if (values.length === 0) return undefined;
  const isTrue = values.includes("1") || values.includes("true");
  const isFalse = values.includes("0") || values.includes("false");
  if (isTrue === isFalse) throw new EngineError("invalid", `invalid filter '${name}=[${values.join(" ")}]'`);
  return isTrue;
}
