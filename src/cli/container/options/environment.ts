import { messageOf } from "#lib/errors.ts";
import { cut, sorted } from "../../flag-kinds.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/** One value of `--env`: `NAME` alone takes the value from our own environment, if it is set there. @throws {Error} */
export function environmentEntry(value: string, environment: Environment): string {
  const [name, given] = cut(value, "=");
  if (name === "") throw new Error(`invalid environment variable: ${value}`);
  if (given !== undefined) return value;
  const inherited = environment[name];
  return inherited === undefined ? value : `${name}=${inherited}`;
}

/** Lines of `--env-file` files followed by `entries`. @throws {Error} with Docker's words */
export async function readEnvironment(
  files: readonly string[],
  entries: readonly string[],
  environment: Environment,
): Promise<readonly string[] | null> {
  const read = (await Promise.all(files.map((file) => readPairs("env", file)))).flat().flatMap(([name, given]) => {
    if (given !== undefined) return [`${name}=${given}`];
    const inherited = environment[name];
    return inherited === undefined ? [] : [`${name}=${inherited}`];
  });
  const all = [...read, ...entries];
  return all.length > 0 ? all : null;
}

/** Labels of `--label-file` files and of `--label`. A line of a file that has no value is no label. */
export async function readLabels(files: readonly string[], entries: readonly string[]): Promise<Readonly<Record<string, string>>> {
  const read = (await Promise.all(files.map((file) => readPairs("label", file)))).flat();
  const given = read.flatMap(([key, value]): [string, string][] => (value === undefined ? [] : [[key, value]]));
  return sorted(Object.fromEntries([...given, ...entries.map(pair)]));
}

/** `KEY=VALUE` or `KEY`. @throws {Error} */
export function labelEntry(value: string): string {
  if (cut(value, "=")[0].trim() === "") throw new Error(`invalid label '${value}': empty name`);
  return value;
}

/** `key=value` as an entry; without a value it is empty. */
export function pair(value: string): [key: string, value: string] {
  const [key, entry] = cut(value, "=");
  return [key, entry ?? ""];
}

function checkedPair(line: string): [string, string | undefined] {
  const [name, value] = cut(line, "=");
  if (name === "") throw new Error(`no variable name on line '${line}'`);
  if (/\s/.test(name)) throw new Error(`variable '${name}' contains whitespaces`);
  return [name, value];
}

async function readPairs(kind: "env" | "label", path: string): Promise<readonly [string, string | undefined][]> {
  const lines = await readLines(path);
  try {
    return lines.map(checkedPair);
  } catch (error) {
    throw new Error(`invalid ${kind} file (${path}): ${messageOf(error)}`, { cause: error });
  }
}

async function readLines(path: string): Promise<readonly string[]> {
  let text: string;
  try {
    text = await Bun.file(path).text();
  } catch (error) {
    throw new Error(`open ${path}: no such file or directory`, { cause: error });
  }
  return text
    .replace(/^\uFEFF/, "")
    .split(/\r?\n/)
    .map((line) => line.trimStart())
    .filter((line) => line !== "" && !line.startsWith("#"));
}

const proxyVariables: Readonly<Record<string, string>> = {
  httpProxy: "HTTP_PROXY",
  httpsProxy: "HTTPS_PROXY",
  noProxy: "NO_PROXY",
  ftpProxy: "FTP_PROXY",
  allProxy: "ALL_PROXY",
};

/** Adds what `proxies` of config.json names for this daemon, in both spellings, unless it was given. */
export function withProxies(
  entries: readonly string[],
  proxies: Readonly<Record<string, Readonly<Record<string, string>>>>,
  daemonUrl: string,
): readonly string[] {
  const proxy = proxies[daemonUrl] ?? proxies["default"];
  if (!proxy) return entries;
  const given = new Set(entries.map((entry) => cut(entry, "=")[0]));
  const added = Object.entries(proxyVariables).flatMap(([key, name]) => {
    const value = proxy[key];
    if (!value) return [];
    return [name, name.toLowerCase()].filter((one) => !given.has(one)).map((one) => `${one}=${value}`);
  });
  return [...entries, ...added];
}
