/** The same entries in the order in which Go writes a map as JSON: clients show it. A map without prototype: every key is plain data. */
export function sortKeys<Value>(map: Readonly<Record<string, Value>> | null | undefined): Record<string, Value> {
  const sorted = Object.create(null) as Record<string, Value>;
  for (const key of Object.keys(map ?? {}).sort()) sorted[key] = (map as Record<string, Value>)[key] as Value;
  return sorted;
}
