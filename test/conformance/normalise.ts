/** What differs from run to run, and the placeholder it becomes. The order matters: longer forms first. */
const patterns: readonly (readonly [RegExp, string])[] = [
  [/\b(?!0001-01-01)\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?(Z|[ ]?[+-]\d\d:?\d\d)?( UTC)?/g, "<time>"],
  [/\b(since|until)=\d{9,}(\.\d+)?/g, "$1=<time>"],
  [/\b[0-9a-f]{64}\b/g, "<id>"],
  [/\b(?=[0-9a-f]*[a-f])[0-9a-f]{12}\b/g, "<short id>"],
  [/\b\d{12}\b/g, "<short id>"],
  [/\b([0-9a-f]{2}:){5}[0-9a-f]{2}\b/g, "<mac>"],
  [/\b(?!0\.0\.0\.0|127\.0\.0\.)\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}\b/g, "<ipv4>"],
  [/(?<=[:>\]])(3[2-9]\d{3}|[45]\d{4}|6[01]\d{3})\b/g, "<port>"],
  [/\/(var\/lib\/peers-docker|tmp\/gantry-test-[A-Za-z0-9]+)\b/g, "<data root>"],
  [/\/run\/(peers-docker|gantry-test-[0-9-]+)\b/g, "<exec root>"],
  [/\b(Less than a second|About an? (minute|hour)|\d+ (second|minute|hour|day|week|month|year)s?)(?= ago|$|\n| \(|\s{2})/gm, "<span>"],
];

/** A text without what is particular to this run. `known` are names and ids of the play itself, which become words of their own. */
export function normaliseText(text: string, known: ReadonlyMap<string, string>): string {
  let result = text;
  // Longest first: a full id before its short form.
  for (const [from, to] of [...known].sort(([a], [b]) => b.length - a.length)) result = result.replaceAll(from, to);
  for (const [pattern, placeholder] of patterns) result = result.replace(pattern, placeholder);
  return result;
}
