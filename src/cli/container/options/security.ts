import { cut } from "../../flag-kinds.ts";

export interface SecurityOptions {
  readonly options: readonly string[] | null;
  /** Empty when `systempaths=unconfined` was given, null otherwise. */
  readonly maskedPaths: readonly string[] | null;
  readonly readonlyPaths: readonly string[] | null;
}

/** Reads the values of `--security-opt`; a seccomp profile is read from its file and sent as text. @throws {Error} with Docker's words */
export async function readSecurityOptions(values: readonly string[]): Promise<SecurityOptions> {
  const options: string[] = [];
  let isUnconfined = false;
  for (const value of values) {
    if (value === "systempaths=unconfined") isUnconfined = true;
    else options.push(await securityOption(value));
  }
  const paths = isUnconfined ? [] : null;
  return { options: values.length > 0 ? options : null, maskedPaths: paths, readonlyPaths: paths };
}

async function securityOption(value: string): Promise<string> {
  let [name, setting] = cut(value, "=");
  if (setting === undefined && name !== "no-new-privileges") {
    [name, setting] = cut(value, ":"); // the older form
    if (setting === undefined) throw new Error(`Invalid --security-opt: ${JSON.stringify(value)}`);
  }
  if (name !== "seccomp" || setting === "unconfined" || setting === "builtin" || setting === undefined) return value;
  return `seccomp=${await readProfile(setting)}`;
}

async function readProfile(path: string): Promise<string> {
  let text: string;
  try {
    text = await Bun.file(path).text();
  } catch (error) {
    throw new Error(`opening seccomp profile (${path}) failed: open ${path}: no such file or directory`, { cause: error });
  }
  try {
    return JSON.stringify(JSON.parse(text));
  } catch (error) {
    throw new Error(`compacting json for seccomp profile (${path}) failed: ${error instanceof Error ? error.message : ""}`, {
      cause: error,
    });
  }
}
