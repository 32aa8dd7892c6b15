/** The `filters` parameter, ready for a query. */
export function filterText(filters: Readonly<Record<string, readonly string[]>>): string {
  return encodeURIComponent(JSON.stringify(filters));
}
