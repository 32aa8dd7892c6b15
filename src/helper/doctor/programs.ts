import { existsSync, readdirSync, readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import type { Check } from "./check.ts";
import { isAtLeast, versionNumbers } from "./version.ts";

interface Runtime {
  readonly name: "crun" | "runc";
  /** First upstream versions with the fixes, one per release series; a later series has them too. */
  readonly floors: readonly string[];
  readonly fixes: readonly string[];
}

/** Source: advisories GHSA-9493-h29p-rfm2, GHSA-qw9x-cqr3-wc7r, GHSA-cgrx-mc8f-2prm (runc) and GHSA-f42g-r5jj-qh4j (crun). */
const runtimes: readonly Runtime[] = [
  { name: "crun", floors: ["1.25"], fixes: ["CVE-2025-24965"] },
  { name: "runc", floors: ["1.2.8", "1.3.3"], fixes: ["CVE-2025-31133", "CVE-2025-52565", "CVE-2025-52881"] },
];

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
  const found = await Promise.all(runtimes.map(async (runtime) => ({ runtime, version: await versionOf(runtime.name, "--version") })));
  if (found.every(({ version }) => version === undefined)) {
    return [{ name: "crun", status: "missing", detail: "neither crun nor runc is installed: containers cannot run", ...install("crun") }];
  }
  return found.map(({ runtime, version }): Check => {
    const { name } = runtime;
    if (version !== undefined) return judge(runtime, version);
    if (name === "crun")
      return { name, status: "warn", detail: "not installed: runc is used, which starts containers more slowly", ...install(name) };
    return { name, status: "info", detail: "not installed: crun is used" };
  });
}

/** Old versions are told, never refused: distributions carry fixes back under the old number, and name them in their changelog. */
function judge(runtime: Runtime, version: string): Check {
  const { name } = runtime;
  if (hasFixes(runtime, version)) return { name, status: "ok", detail: version };
  const changelog = distributionChangelog(name);
  const open = runtime.fixes.filter((fix) => !changelog.includes(fix));
  if (open.length === 0) return { name, status: "ok", detail: `${version}, with the distribution's fixes` };
  const detail = `${version} is older than ${runtime.floors.join(" or ")} and its package does not name the fix of ${open.join(", ")}`;
  return {
    name,
    status: "warn",
    detail,
    advice: `Update ${name} when the distribution offers a newer one: apt-get update && apt-get install ${name}`,
  };
}

export function hasFixes({ floors }: Pick<Runtime, "floors">, version: string): boolean {
  const series = versionNumbers(version).slice(0, 2).join(".");
  const own = floors.find((floor) => versionNumbers(floor).slice(0, 2).join(".") === series);
  return isAtLeast(version, own ?? floors.at(-1) ?? "0");
}

function distributionChangelog(name: string): string {
  try {
    const folder = `/usr/share/doc/${name}`;
    const file = readdirSync(folder).find((entry) => entry === "changelog.Debian.gz");
    return file === undefined ? "" : gunzipSync(readFileSync(`${folder}/${file}`)).toString();
  } catch {
    return ""; // another distribution, or documentation left out
  }
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
