/** One instruction of a list of changes. */
export interface ChangeLine {
  /** In upper case. */
  readonly name: string;
  readonly rest: string;
}

/** Instructions as in a Dockerfile: one for each line, continued by a backslash at its end; comments and empty lines are passed over. */
export function parseChangeLines(changes: readonly string[]): ChangeLine[] {
  const lines = changes
    .join("\n")
    .split("\n")
    .filter((line) => !/^\s*#/.test(line));
  const whole = lines.join("\n").replace(/\\[ \t]*\n/g, "");
  return whole
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "")
    .map((line) => {
      const [name = ""] = /^\S+/.exec(line) ?? [];
      return { name: name.toUpperCase(), rest: line.slice(name.length).trim() };
    });
}

/** A list of texts in JSON; undefined for anything else. */
export function parseTextList(text: string): string[] | undefined {
  if (!text.startsWith("[")) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    return Array.isArray(value) && value.every((entry): entry is string => typeof entry === "string") ? value : undefined;
  } catch {
    return undefined; // then it is the shell's
  }
}
