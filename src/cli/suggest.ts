/** The known words that someone may have meant: at most two edits away, or begun the same. Closest first, at most three. */
export function suggestions(word: string, known: readonly string[]): readonly string[] {
  const typed = word.toLowerCase();
  return known
    .map((candidate) => ({ candidate, distance: candidate.startsWith(typed) ? 0 : editDistance(typed, candidate) }))
    .filter(({ distance, candidate }) => distance <= Math.min(2, candidate.length - 1))
    .toSorted((one, other) => one.distance - other.distance)
    .slice(0, 3)
    .map(({ candidate }) => candidate);
}

/** Levenshtein's distance. */
function editDistance(one: string, other: string): number {
  let row = Array.from({ length: other.length + 1 }, (_, index) => index);
  for (let i = 0; i < one.length; i++) {
    const next = [i + 1];
    for (let j = 0; j < other.length; j++) {
      const replaced = (row[j] ?? 0) + (one[i] === other[j] ? 0 : 1);
      next.push(Math.min(replaced, (row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1));
    }
    row = next;
  }
  return row[other.length] ?? 0;
}
