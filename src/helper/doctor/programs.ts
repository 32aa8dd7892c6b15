import { existsSync } from "node:fs";
import { floorOf, missingFixes, type RuntimeName } from "#drivers/runtime/fixes.ts";
import type { Check } from "./check.ts";

const runtimes = ["crun", "runc"] as const;

/** Programs the engine starts, with versions. */
export async function checkPrograms(): Promise<Check[]> {
  const [runtimeChecks, conmon, nft, init] = await Promise.all([
    checkRuntimes(),
    checkOne("conmon", "conmon", "--version"),
    checkOne("nft", "nftables", "--version"),
    checkInit(),
  ]);
  return [...runtimeChecks, conmon, nft, init];
}

async function checkRuntimes(): Promise<Check[]> {
  const found = await Promise.all(runtimes.map(async (name) => ({ name, version: await versionOf(name, "--version") })));
  if (found.every(({ version }) => version === undefined)) {
    return [{ name: "crun", status: "missing", detail: "neither crun nor runc is installed: containers cannot run", ...install("crun") }];
  }
  return found.map(({ name, version }): Check => {
    if (version !== undefined) return judge(name, version);
    if (name === "crun")
      return { name, status: "warn", detail: "not installed: runc is used, which starts containers more slowly", ...install(name) };
    return { name, status: "info", detail: "not installed: crun is used" };
  });
}

/** Old versions are told, never refused. */
function judge(name: RuntimeName, version: string): Check {
  const open = missingFixes(name, version);
  if (open.length === 0) return { name, status: "ok", detail: version };
  return {
    name,
    status: "warn",
    detail: `${version} is older than ${floorOf(name)} and its package does not name the fix of ${open.join(", ")}`,
    advice: `Update ${name} when the distribution offers a newer one: apt-get update && apt-get install ${name}`,
  };
}

async function checkOne(name: string, packageName: string, flag: string): Promise<Check> {
  const version = await versionOf(name, flag);
  if (version === undefined) return { name, status: "missing", detail: "not installed", ...install(packageName) };
  return { name, status: "ok", detail: version };
}

async function checkInit(): Promise<Check> {
  const name = ["catatonit", "tini"].find((candidate) => findProgram(candidate) !== undefined);
  if (name === undefined)
    return {
      name: "init",
      status: "warn",
      detail: "neither catatonit nor tini is installed: 'run --init' does not work",
      ...install("catatonit"),
    };
  return { name: "init", status: "ok", detail: `${name} ${(await versionOf(name, "--version")) ?? ""}`.trim() };
}

function install(packageName: string): Pick<Check, "advice" | "repair"> {
  return { advice: `apt-get install ${packageName}, or: gantry doctor --fix`, repair: { type: "install", packages: [packageName] } };
}

async function versionOf(name: string, flag: string): Promise<string | undefined> {
  const path = findProgram(name);
  if (path === undefined) return undefined;
  const child = Bun.spawn([path, flag], { stdio: ["ignore", "pipe", "pipe"], env: { LC_ALL: "C.UTF-8" } });
  const [text, complaint] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text(), child.exited]);
  return /\bv?(\d+(?:\.\d+)+[^\s,()]*)/.exec(text || complaint)?.[1] ?? "of unknown version";
}

function findProgram(name: string): string | undefined {
  const places = [...(process.env["PATH"] ?? "").split(":"), "/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"];
  return places
    .filter(Boolean)
    .map((place) => `${place}/${name}`)
    .find((path) => existsSync(path));
}
