import { randomId } from "#lib/id.ts";
import { mkdir, readFile, realpath, rename, rm, stat, writeFile } from "node:fs/promises";
import { dirname } from "node:path";

type JsonObject = Readonly<Record<string, unknown>>;

/**
 * Changes config.json: what the change does not name stays as it is. The file is replaced as a whole, so that a reader, and the next start after
 * a crash, find the old one or the new one; a link keeps leading to it.
 * @throws {Error} when it is there and no JSON object: nothing of it is lost
 */
export async function changeConfigFile(folder: string, change: (file: JsonObject) => JsonObject): Promise<void> {
  const path = await realpath(`${folder}/config.json`).catch(() => `${folder}/config.json`);
  const [text, mode] = await Promise.all([readFile(path, "utf8").catch(ifMissing("")), modeOf(path)]);
  const file = change(text.trim() === "" ? {} : parse(text, path));
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const temporary = `${path}.${randomId().slice(0, 12)}`;
  try {
    await writeFile(temporary, JSON.stringify(file, undefined, "\t"), { mode, flag: "wx" });
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

/** Passwords may be in it: a new file is for its owner alone. */
async function modeOf(path: string): Promise<number> {
  const found = await stat(path).catch(ifMissing(undefined));
  return found ? found.mode & 0o777 : 0o600;
}

function parse(text: string, path: string): JsonObject {
  const value: unknown = JSON.parse(text);
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw new Error(`${path} holds no JSON object`);
  return { ...value };
}

function ifMissing<T>(value: T): (error: unknown) => T {
  return (error) => {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return value;
    throw error;
  };
}
