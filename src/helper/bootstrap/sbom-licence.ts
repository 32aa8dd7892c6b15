import { parseParagraphs } from "./sbom-control.ts";

/** What a package's copyright file says, in SPDX's terms. */
export interface DeclaredLicence {
  readonly expression: string;
  /** Text of every licence that SPDX has no name for, by its `LicenseRef-…`. */
  readonly texts: ReadonlyMap<string, string>;
}

/** Debian's short names → SPDX's, beside the GNU ones. Source: DEP-5, "License specification"; SPDX License List. */
const known: Readonly<Record<string, string>> = Object.fromEntries(
  [
    "0BSD Apache-2.0 Artistic-2.0 BSL-1.0 CC0-1.0 FSFAP FSFUL FSFULLR FTL HPND ISC MIT MPL-1.1 MPL-2.0 NTP OpenSSL PostgreSQL Python-2.0 TCL",
    "Unlicense W3C WTFPL X11 Zlib curl bzip2-1.0.6 Unicode-DFS-2016 CC-BY-3.0 CC-BY-4.0 CC-BY-SA-3.0 CC-BY-SA-4.0",
  ]
    .join(" ")
    .split(" ")
    .map((name) => [name.toLowerCase(), name] as const)
    .concat([
      ["expat", "MIT"],
      ["mit/x11", "MIT"],
      ["artistic", "Artistic-1.0"],
      ["bsd-2-clause", "BSD-2-Clause"],
      ["bsd-3-clause", "BSD-3-Clause"],
      ["bsd-4-clause", "BSD-4-Clause"],
      ["bsd-4-clause-uc", "BSD-4-Clause-UC"],
      ["openldap-2.8", "OLDAP-2.8"],
    ]),
);

/**
 * The licence of a package from its copyright file, where that is written in the machine-readable form. All its parts count.
 * @returns undefined when the file is free text, or names something that is no licence
 * Source: DEP-5, "Machine-readable debian/copyright file".
 */
export function declaredLicence(packageName: string, copyright: string): DeclaredLicence | undefined {
  const [head, ...paragraphs] = parseParagraphs(copyright);
  if (!head?.get("format")?.includes("copyright-format")) return undefined;
  const standalone = new Map(paragraphs.filter((one) => !one.has("files")).flatMap((one) => entryOf(one.get("license"))));
  const ofFiles = paragraphs.filter((one) => one.has("files")).flatMap((one) => entryOf(one.get("license")));
  if (ofFiles.length === 0) return undefined;
  const texts = new Map<string, string>();
  const parts = new Set<string>();
  for (const [synopsis, text] of ofFiles) {
    const nameOf = (name: string): string => {
      const spdx = spdxName(name);
      if (spdx !== undefined) return spdx;
      const reference = `LicenseRef-${packageName}-${name}`.replace(/[^A-Za-z0-9.-]+/g, "-");
      texts.set(reference, (text || standalone.get(name) || name).trim());
      return reference;
    };
    const expression = toExpression(synopsis, nameOf);
    if (expression === undefined) return undefined;
    for (const part of expression.includes(" OR ") ? [expression] : expression.split(" AND ")) parts.add(part);
  }
  const all = [...parts].sort();
  return { expression: all.map((one) => (all.length > 1 && one.includes(" OR ") ? `(${one})` : one)).join(" AND "), texts };
}

/** First line and the rest of a value. */
function entryOf(value: string | undefined): (readonly [string, string])[] {
  if (value === undefined) return [];
  const end = value.indexOf("\n");
  return [end < 0 ? [value.trim(), ""] : [value.slice(0, end).trim(), value.slice(end + 1)]];
}

const licenceName = /^[A-Za-z0-9][\w.+/~:-]*( with [\w .+-]*exception)?$/;

/** `GPL-2+ and (…)` has no brackets there: a comma sets groups apart, and `and` binds closer than `or`. */
function toExpression(synopsis: string, nameOf: (name: string) => string): string | undefined {
  const words = synopsis.split(/(, (?:and|or) | and | or )/);
  const names = words.filter((_, index) => index % 2 === 0).map((word) => word.trim());
  if (!names.every((name) => licenceName.test(name))) return undefined;
  const groups = synopsis.split(/, (and|or) /);
  const joined = groups.map((group, index) => (index % 2 === 1 ? group.toUpperCase() : alternatives(group, nameOf)));
  return joined.map((part, index) => (index % 2 === 0 && groups.length > 1 && part.includes(" ") ? `(${part})` : part)).join(" ");
}

function alternatives(group: string, nameOf: (name: string) => string): string {
  return group
    .split(" or ")
    .map((all) =>
      all
        .split(" and ")
        .map((name) => nameOf(name.trim()))
        .join(" AND "),
    )
    .join(" OR ");
}

/** @returns undefined for what SPDX has no name for */
function spdxName(name: string): string | undefined {
  const [, family = "", noInvariants, version, plus] = /^(A?GPL|LGPL|GFDL)-?(NIV-)?v?(\d(?:\.\d)?)(?:\.0)?(\+)?$/i.exec(name) ?? [];
  if (version === undefined) return known[name.toLowerCase()];
  const number = version.includes(".") ? version : `${version}.0`;
  return `${family.toUpperCase()}-${number}${noInvariants ? "-no-invariants" : ""}-${plus ? "or-later" : "only"}`;
}
