import type { Filters } from "#client/containers.ts";
import type { Invocation } from "./command.ts";
import { cut } from "./flag-kinds.ts";

/** The filters of a prune, with `pruneFilters` of config.json; one that the command line says the opposite of gives way. */
export async function pruneFilters(config: Invocation["config"], given: Filters): Promise<Filters> {
  const filters: Record<string, readonly string[]> = { ...given };
  for (const text of (await config()).pruneFilters) {
    const [key, value] = cut(text, "=");
    if (value === undefined) continue;
    const opposite = key === "label" ? "label!" : key === "label!" ? "label" : undefined;
    if (opposite && filters[opposite]?.includes(value)) continue;
    const held = filters[key] ?? [];
    if (!held.includes(value)) filters[key] = [...held, value];
  }
  return filters;
}
