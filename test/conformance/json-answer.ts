/** One value, or the list of them when the text is JSON lines. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    const lines = text.split("\n").filter((line) => line.trim() !== "");
    try {
      return lines.length > 1 ? lines.map((line) => JSON.parse(line) as unknown) : undefined;
    } catch {
      return undefined; // no JSON: the text itself is the fact
    }
  }
}

/** The body of an error. */
export function isMessage(json: unknown): json is { message: string } {
  return (
    typeof json === "object" && json !== null && Object.keys(json).length === 1 && "message" in json && typeof json.message === "string"
  );
}

/** What lists say of one object: containers, networks, volumes, images. */
interface Named {
  readonly Name?: string;
  readonly Names?: readonly string[];
  readonly RepoTags?: readonly string[] | null;
  readonly Volumes?: unknown;
}

export function isNamed(value: unknown): value is Named {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Names of the objects of a list that contain `part`, sorted. */
export function namesIn(json: unknown, part: string): string[] {
  const list = isNamed(json) && "Volumes" in json ? json.Volumes : json;
  const names = (Array.isArray(list) ? list : [])
    .filter(isNamed)
    .flatMap(({ Name, Names, RepoTags }) => [...(Name === undefined ? [] : [Name]), ...(Names ?? []), ...(RepoTags ?? [])]);
  return names.filter((name) => name.includes(part)).sort();
}

/** The same object, its lists without the elements that do not mention `part`. */
export function onlyWith(json: unknown, part: string): unknown {
  if (!isNamed(json)) return json;
  const own = (list: unknown): unknown => (Array.isArray(list) ? list.filter((element) => JSON.stringify(element).includes(part)) : list);
  return Object.fromEntries(Object.entries(json).map(([key, value]): [string, unknown] => [key, own(value)]));
}
