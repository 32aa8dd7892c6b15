import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import { EngineError, messageOf } from "#lib/errors.ts";
import { sourceLine, sourcesOf, type AptSource } from "./apt-sources.ts";
import type { Distribution } from "./distributions.ts";
import type { BootstrappedImage } from "./image-archive.ts";
import { keyFolder } from "./key-folder.ts";
import { LayerWriter } from "./layer-writer.ts";
import { cacheHooks } from "./package-cache.ts";
import { copyReproducibly, newestPackage } from "./reproducible.ts";
import { findProgram, run } from "./run.ts";
import { installedPackages, packageListPath } from "./sbom-package.ts";

/** Sets of packages that mmdebstrap knows, the smallest first. */
export const variants = ["essential", "apt", "minbase"] as const;
export type Variant = (typeof variants)[number];

export interface AptSystem {
  readonly distribution: Distribution;
  readonly suite: string;
  /** Absent: the one that this host uses itself. */
  readonly mirror?: string;
  /** File with the keys that may sign the packages; absent: those of the source, of the distribution, or of this host. */
  readonly keyring?: string;
  readonly components: readonly string[];
  readonly variant: Variant;
  /** Packages beyond those of the variant. */
  readonly include: readonly string[];
  /** The time of the image; absent: of its newest package. */
  readonly epochSeconds?: number;
  /** Where packages are kept for the next time. */
  readonly packageCache?: string;
  readonly tell: (line: string) => void;
}

/** A system of Debian or Ubuntu as one layer, by mmdebstrap. @param folder  for its work; empty */
export async function buildAptSystem(system: AptSystem, folder: string): Promise<BootstrappedImage> {
  const { distribution, suite, variant, include, tell } = system;
  check(system);
  findProgram("mmdebstrap");
  const sources = sourcesFor(system);
  const places = sources.map((source) => `${source.uri} ${source.suite}`).join(", ");
  tell(`installing ${distribution.title} ${suite} from ${places}: about half a minute`);
  const made = join(folder, "made.tar");
  await install(system, sources, made, folder);
  tell("making the image reproducible");
  const epochSeconds = system.epochSeconds ?? newestPackage(made);
  using layer = new LayerWriter(join(folder, "layer.tar"));
  copyReproducibly(made, layer, epochSeconds);
  const reference = `${distribution.name}:${suite}`;
  const packages = include.length === 0 ? "" : ` and ${include.join(", ")}`;
  return {
    reference,
    layer: layer.finish(),
    command: distribution.command,
    epochSeconds,
    labels: { "org.opencontainers.image.title": reference },
    createdBy: `gantry image bootstrap ${reference} (mmdebstrap, ${variant}${packages})`,
    packages: installedPackages(made),
    distribution: { id: distribution.name, codename: suite },
  };
}

/** What apt's lists say of the packages that are installed: the image's bill of materials has their checksums from there. */
const listPackages =
  'APT_CONFIG="$MMDEBSTRAP_APT_CONFIG" apt-cache show $(dpkg-query --admindir="$1/var/lib/dpkg" --show --showformat "\\${binary:Package}=\\${Version} ") ' +
  `>"$1/${packageListPath}"`;

/** All of it becomes arguments of a program, or lines of a file. */
function check({ suite, mirror, keyring, components, include }: AptSystem): void {
  const refuse = (what: string, value: string, expected: string): never => {
    throw new EngineError("invalid", `invalid ${what} ${JSON.stringify(value)}: ${expected}`);
  };
  if (!/^[a-z][a-z0-9-]*$/.test(suite)) refuse("suite", suite, "a name like bookworm or noble is expected");
  if (mirror !== undefined && !/^(https?|file):\/\/[^\s[\]]+$/.test(mirror)) refuse("mirror", mirror, "a URL is expected");
  for (const one of components) if (!/^[a-z][a-z0-9-]*$/.test(one)) refuse("component", one, "a name like main or universe is expected");
  for (const one of include) if (!/^[a-z0-9][a-z0-9+.-]+$/.test(one)) refuse("package", one, "a name like ca-certificates is expected");
  if (keyring !== undefined && !statSync(keyring, { throwIfNoEntry: false })?.isFile()) refuse("keyring", keyring, "there is no such file");
}

function sourcesFor({ distribution, suite, mirror, keyring }: AptSystem): AptSource[] {
  const sources = mirror === undefined ? sourcesOf(distribution, suite) : [{ uri: mirror, suite }];
  // A key that is given stands for all; its path is none of the image's.
  return keyring === undefined ? sources : sources.map(({ uri, suite: one }) => ({ uri, suite: one }));
}

async function install(system: AptSystem, sources: readonly AptSource[], made: string, folder: string): Promise<void> {
  const { suite, variant, include, components, packageCache } = system;
  using given = system.keyring === undefined ? undefined : keyFolder(system.keyring);
  const keys = given?.path ?? ownKeyring(system, sources);
  const command = [
    ...["mmdebstrap", `--variant=${variant}`, "--mode=auto"], // not --quiet: it would not tell what apt complains of
    ...(keys === undefined ? [] : [`--keyring=${keys}`]),
    ...(include.length === 0 ? [] : [`--include=${include.join(",")}`]),
    ...(packageCache === undefined ? [] : cacheHooks(packageCache)),
    `--customize-hook=${listPackages}`,
    ...[suite, made, ...sources.map((source) => sourceLine(source, components))],
  ];
  try {
    // Any time does here: what is made now is dated by the newest package later.
    await run(command, { folder, epochSeconds: Math.floor(Date.now() / 1000) });
  } catch (error) {
    if (!isOfKeys(messageOf(error))) throw error;
    const places = sources.map(({ uri }) => uri).join(", ");
    const whose = system.keyring ?? keys ?? "this host's apt";
    throw new EngineError(
      "unavailable",
      `the packages of ${places} are not signed by a key of ${whose}: give the right ones with --keyring FILE`,
      { cause: error },
    );
  }
}

/** That of the distribution, unless the sources name theirs: mmdebstrap takes those by itself. */
function ownKeyring({ distribution }: AptSystem, sources: readonly AptSource[]): string | undefined {
  const isNamed = sources.every(({ signedBy }) => signedBy !== undefined);
  return !isNamed && existsSync(distribution.keyring) ? distribution.keyring : undefined;
}

const isOfKeys = (complaint: string): boolean =>
  /NO_PUBKEY|BADSIG|EXPKEYSIG|REVKEYSIG|is not signed|signatures? (couldn't|could not) be verified|were invalid/.test(complaint);
