import { readdirSync, readFileSync } from "node:fs";
import { EngineError } from "#lib/errors.ts";
import type { Distribution } from "./distributions.ts";

/** Where packages of a suite come from. */
export interface AptSource {
  readonly uri: string;
  readonly suite: string;
  /** File of the key that signs it; absent: apt's trusted keys. */
  readonly signedBy?: string;
}

/**
 * The host's own sources of a suite: itself, its updates and its security fixes. A mirror of another suite of the same distribution has this
 * one as well.
 * @throws {EngineError} `unavailable` when the host has no source that fits
 */
export function sourcesOf(distribution: Distribution, suite: string, all: readonly AptSource[] = readAptSources()): AptSource[] {
  const own = all.filter((source) => isOf(distribution, source));
  const exact = own.filter((source) => [suite, `${suite}-updates`, `${suite}-security`].includes(source.suite));
  if (exact.some((source) => source.suite === suite)) return exact;
  const [other] = own;
  if (!other)
    throw new EngineError(
      "unavailable",
      `this host's apt sources name no mirror of ${distribution.title}'s ${suite}: give one with --mirror URL`,
    );
  return [{ ...other, suite }];
}

function isOf({ keyPrefix, suites }: Distribution, { suite, signedBy }: AptSource): boolean {
  return (signedBy?.includes(keyPrefix) ?? false) || suites.has(suite.replace(/-(updates|security|backports|proposed)$/, ""));
}

/** One line for sources.list. Source: sources.list(5). */
export const sourceLine = ({ uri, suite, signedBy }: AptSource, components: readonly string[] = ["main"]): string =>
  `deb ${signedBy ? `[signed-by=${signedBy}] ` : ""}${uri} ${suite} ${components.join(" ")}`;

/** Sources of binary packages with a component `main`, from both formats. Source: sources.list(5). */
export function readAptSources(root = "/etc/apt"): AptSource[] {
  const parts = namesIn(`${root}/sources.list.d`).map((name) => `${root}/sources.list.d/${name}`);
  return [`${root}/sources.list`, ...parts].flatMap((file) => {
    if (file.endsWith(".sources")) return parseDeb822(read(file));
    return file.endsWith(".list") ? parseLines(read(file)) : [];
  });
}

function parseLines(text: string): AptSource[] {
  return text.split("\n").flatMap((line) => {
    const match = /^deb\s+(?:\[([^\]]*)\]\s+)?(\S+)\s+(\S+)\s+(.*)$/.exec(line.trim());
    const [, options = "", uri = "", suite = "", components = ""] = match ?? [];
    if (!match || !components.split(/\s+/).includes("main")) return [];
    const signedBy = /signed-by=(\S+)/.exec(options)?.[1];
    return [{ uri, suite, ...(signedBy !== undefined && { signedBy }) }];
  });
}

function parseDeb822(text: string): AptSource[] {
  return text.split(/\n\s*\n/).flatMap((paragraph) => {
    const field = (name: string): string[] => {
      const value = new RegExp(`^${name}:(.*(?:\\n[ \\t].*)*)`, "mi").exec(paragraph)?.[1] ?? "";
      return value.split(/\s+/).filter(Boolean);
    };
    if (!field("Types").includes("deb") || !field("Components").includes("main") || field("Enabled")[0] === "no") return [];
    // A key written into the file itself has no path; apt's trusted keys then have to do.
    const signedBy = field("Signed-By").find((value) => value.startsWith("/"));
    return field("URIs").flatMap((uri) => field("Suites").map((suite) => ({ uri, suite, ...(signedBy !== undefined && { signedBy }) })));
  });
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder).sort();
  } catch {
    return []; // no such folder: the host has one file, or no apt
  }
}

function read(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return ""; // not there
  }
}
