/** Numbers of a version, most significant first: `1.1.5+ds1` → [1, 1, 5]. What follows them does not count. */
export function versionNumbers(text: string): number[] {
  return (/\d+(?:\.\d+)*/.exec(text)?.[0] ?? "").split(".").filter(Boolean).map(Number);
}

/** True when `version` is `floor` or later. */
export function isAtLeast(version: string, floor: string): boolean {
  const [left, right] = [versionNumbers(version), versionNumbers(floor)];
  for (let index = 0; index < Math.max(left.length, right.length); index++) {
    const difference = (left[index] ?? 0) - (right[index] ?? 0);
    if (difference !== 0) return difference > 0;
  }
  return true;
}
