import { readFileSync } from "node:fs";
import { posix } from "node:path";
import { TarReader } from "#lib/tar/reader.ts";
import { pushFile } from "./push-file.ts";
import { parseParagraphs, type Paragraph } from "./sbom-control.ts";
import { declaredLicence, type DeclaredLicence } from "./sbom-licence.ts";

/** A package of an image. */
export interface SoftwarePackage {
  readonly name: string;
  readonly version: string;
  readonly architecture: string;
  readonly maintainer?: string;
  readonly homepage?: string;
  readonly licence?: DeclaredLicence;
  /** Of the package's file, hex. */
  readonly sha256?: string;
}

/** Written into a new system, and left out of the image: what apt knows of its packages, their checksums above all. */
export const packageListPath = "var/log/gantry-packages";
/** Copyright files are a few hundred KiB at most. */
const maximumFileBytes = 8 << 20;

/** The installed packages of a system in an archive, in order. */
export function installedPackages(archive: string): SoftwarePackage[] {
  const files = readFiles(archive);
  const listed = parseParagraphs(files.text(packageListPath) ?? "");
  const sums = new Map(listed.map((one) => [keyOf(one), one.get("sha256")]));
  return parseParagraphs(files.text("var/lib/dpkg/status") ?? "")
    .filter((one) => one.get("status")?.endsWith(" installed"))
    .map((one) => {
      const copyright = files.text(`usr/share/doc/${one.get("package")}/copyright`);
      return toPackage(one, { copyright, sha256: sums.get(keyOf(one)) });
    })
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** @param control  of the package @param known  what stands elsewhere */
export function toPackage(
  control: Paragraph,
  { copyright, sha256 }: { readonly copyright?: string | undefined; readonly sha256?: string | undefined },
): SoftwarePackage {
  const name = control.get("package") ?? "";
  const [maintainer, homepage] = [control.get("maintainer"), control.get("homepage")];
  const licence = copyright === undefined ? undefined : declaredLicence(name, copyright);
  return {
    name,
    version: control.get("version") ?? "",
    architecture: control.get("architecture") ?? "",
    ...(maintainer !== undefined && { maintainer }),
    ...(homepage !== undefined && /^https?:\/\/\S+$/.test(homepage) && { homepage }),
    ...(licence && { licence }),
    ...(sha256 !== undefined && /^[0-9a-f]{64}$/.test(sha256) && { sha256 }),
  };
}

/** The distribution that a file of the form of os-release names. Source: os-release(5). */
export function distributionOf(osRelease = readFileSync("/etc/os-release", "utf8")): { readonly id: string; readonly codename: string } {
  const field = (name: string): string => new RegExp(`^${name}="?([\\w.-]+)`, "m").exec(osRelease)?.[1] ?? "";
  return { id: field("ID") || "debian", codename: field("VERSION_CODENAME") };
}

const keyOf = (control: Paragraph): string => ["package", "version", "architecture"].map((name) => control.get(name)).join(" ");

/** What is read of an archive: small files by their path, through links. */
interface ArchiveFiles {
  text(path: string): string | undefined;
}

function readFiles(archive: string): ArchiveFiles {
  const contents = new Map<string, string>();
  const links = new Map<string, string>();
  let pieces: Buffer[] | undefined;
  const reader = new TarReader({
    entry({ path, type, link, sizeBytes }) {
      const name = normal(path);
      const isWanted = name === packageListPath || name === "var/lib/dpkg/status" || /^usr\/share\/doc\/[^/]+(\/copyright)?$/.test(name);
      pieces = isWanted && type === "file" && sizeBytes <= maximumFileBytes ? [] : undefined;
      if (isWanted && type === "symlink") links.set(name, posix.join(posix.dirname(name), link));
      if (isWanted && type === "hardlink") links.set(name, normal(link));
    },
    data: (chunk) => void pieces?.push(Buffer.from(chunk)),
    end({ path }) {
      if (pieces) contents.set(normal(path), Buffer.concat(pieces).toString());
      pieces = undefined;
    },
  });
  pushFile(archive, reader);
  return {
    text(path) {
      const folder = links.get(posix.dirname(path));
      const real = folder === undefined ? path : posix.join(folder, posix.basename(path));
      return contents.get(links.get(real) ?? real);
    },
  };
}

const normal = (path: string): string => path.replace(/^(\.?\/)+/, "").replace(/\/$/, "");
