import { readFileSync } from "node:fs";

/** Lines of `name value`. */
export function readFields(file: string): Record<string, bigint> {
  const fields: Record<string, bigint> = {};
  for (const line of readFileSync(file, "latin1").split("\n")) {
    const space = line.indexOf(" ");
    if (space > 0) fields[line.slice(0, space)] = BigInt(line.slice(space + 1).trim());
  }
  return fields;
}

/** A number alone in its file; undefined for `max`. */
export function readValue(file: string): bigint | undefined {
  const text = readFileSync(file, "latin1").trim();
  return text === "max" ? undefined : BigInt(text);
}

/** As `readValue`, for what not every kernel has. */
export function readOptional(file: string): bigint | undefined {
  try {
    return readValue(file);
  } catch {
    return undefined;
  }
}
