import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { sourceLine, sourcesOf } from "../../../src/helper/bootstrap/apt-sources.ts";
import { distributions } from "../../../src/helper/bootstrap/distributions.ts";

const cache = resolve(import.meta.dir, "../../../node_modules/.cache/test-packages");

/**
 * What packages hold: hard links and links by the thousand (ncurses-term, git, tzdata), set-user-ID programs (util-linux, passwd), names that
 * are not ASCII (ca-certificates), big folders (perl-base).
 */
const everywhere = ["tzdata", "util-linux", "iputils-ping", "man-db", "ca-certificates", "perl-base", "passwd", "git", "ncurses-term"];
const wanted: Readonly<Record<string, readonly string[]>> = {
  bullseye: everywhere,
  bookworm: [...everywhere, "fonts-dejavu-core", "python3.11-minimal", "linux-libc-dev", "adwaita-icon-theme", "linux-image-cloud-amd64"],
  trixie: everywhere,
  sid: everywhere,
};

export interface PackageFile {
  readonly suite: string;
  /** Of the package, its version and its architecture. */
  readonly name: string;
  readonly path: string;
}

/** Packages of several suites, from where this host's apt has its own. Fetched once. */
export function fetchPackages(): { readonly packages: readonly PackageFile[]; readonly lacks: readonly string[] } {
  const lacks: string[] = [];
  if (!Bun.which("apt-get") || !Bun.which("dpkg-deb")) return { packages: [], lacks: ["no apt on this host"] };
  for (const [suite, names] of Object.entries(wanted)) {
    const lack = existsSync(join(cache, suite)) ? undefined : fetchSuite(suite, names);
    if (lack !== undefined) lacks.push(`${suite}: ${lack}`);
  }
  const packages = Object.keys(wanted).flatMap((suite) =>
    (existsSync(join(cache, suite)) ? readdirSync(join(cache, suite)).sort() : []).map((name) => ({
      suite,
      name: name.replace(/\.deb$/, ""),
      path: join(cache, suite, name),
    })),
  );
  return { packages, lacks };
}

/** With lists of its own, so that the host's stay as they are. @returns why it could not be; whole or absent in the cache */
function fetchSuite(suite: string, names: readonly string[]): string | undefined {
  const work = mkdtempSync(join(tmpdir(), "gantry-packages-"));
  try {
    const apt = aptFor(suite, work);
    apt("update");
    apt("download", ...names.map((name) => resolveName(name, apt)));
    const folder = `${join(cache, suite)}.new`;
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder, { recursive: true });
    for (const file of readdirSync(work).filter((name) => name.endsWith(".deb"))) copyFileSync(join(work, file), join(folder, file));
    renameSync(folder, join(cache, suite));
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

type Apt = (command: "update" | "download" | "depends", ...names: readonly string[]) => string;

function aptFor(suite: string, work: string): Apt {
  for (const folder of ["lists/partial", "cache/archives/partial"]) mkdirSync(join(work, folder), { recursive: true });
  const sources = join(work, "sources.list");
  const [debian] = distributions;
  if (!debian) throw new Error("no distribution is known");
  writeFileSync(
    sources,
    sourcesOf(debian, suite)
      .map((source) => `${sourceLine(source)}\n`)
      .join(""),
  );
  const options = [
    `Dir::Etc::sourcelist=${sources}`,
    "Dir::Etc::sourceparts=-",
    `Dir::State::lists=${join(work, "lists")}`,
    `Dir::Cache=${join(work, "cache")}`,
    "Dir::State::status=/dev/null",
    "APT::Sandbox::User=root",
    "Acquire::Languages=none",
    "Acquire::Retries=1",
  ].flatMap((option) => ["-o", option]);
  return (command, ...names) => {
    const program = command === "depends" ? "apt-cache" : "apt-get";
    const { exitCode, stdout, stderr } = Bun.spawnSync([program, ...options, "-q", command, ...names], { cwd: work });
    if (exitCode !== 0) throw new Error(`${program} ${command} failed: ${stderr.toString().trim().split("\n").at(-1)}`);
    return stdout.toString();
  };
}

/** The kernel's package has another name with each version; an empty one depends on it. */
function resolveName(name: string, apt: Apt): string {
  if (!name.startsWith("linux-image-")) return name;
  return /Depends: (linux-image-\S+)/.exec(apt("depends", name))?.[1] ?? name;
}
