import { readdirSync, readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { isAtLeast, versionNumbers } from "#lib/version-numbers.ts";

export type RuntimeName = "crun" | "runc";

interface Floor {
  /** First upstream versions with the fixes, one per release series; a later series has them too. */
  readonly versions: readonly string[];
  readonly fixes: readonly string[];
}

/** Source: advisories GHSA-9493-h29p-rfm2, GHSA-qw9x-cqr3-wc7r, GHSA-cgrx-mc8f-2prm (runc) and GHSA-f42g-r5jj-qh4j (crun). */
const floors: Readonly<Record<RuntimeName, Floor>> = {
  crun: { versions: ["1.25"], fixes: ["CVE-2025-24965"] },
  runc: { versions: ["1.2.8", "1.3.3"], fixes: ["CVE-2025-31133", "CVE-2025-52565", "CVE-2025-52881"] },
};

/** Versions from which on a runtime has the fixes, as text. */
export function floorOf(name: RuntimeName): string {
  return floors[name].versions.join(" or ");
}

/**
 * Known holes through which a container gets out that this version still has, as far as can be told: distributions carry fixes back under
 * the old number, and name them in their changelog.
 */
export function missingFixes(name: RuntimeName, version: string): readonly string[] {
  if (hasFixes(floors[name].versions, version)) return [];
  const changelog = distributionChangelog(name);
  return floors[name].fixes.filter((fix) => !changelog.includes(fix));
}

export function hasFixes(versions: readonly string[], version: string): boolean {
  const series = seriesOf(version);
  const own = versions.find((floor) => seriesOf(floor) === series);
  return isAtLeast(version, own ?? versions.at(-1) ?? "0");
}

function seriesOf(version: string): string {
  return versionNumbers(version).slice(0, 2).join(".");
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
