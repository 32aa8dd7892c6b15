import { afterAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { LayerWriter } from "./layer-writer.ts";
import { parseParagraphs } from "./sbom-control.ts";
import { declaredLicence } from "./sbom-licence.ts";
import { distributionOf, installedPackages, packageListPath } from "./sbom-package.ts";
import { spdxDocument } from "./sbom.ts";

const folder = mkdtempSync(join(tmpdir(), "gantry-sbom-"));
afterAll(() => rmSync(folder, { recursive: true }));

const format = "Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\n";

test("parseParagraphs() keeps the lines of a value, and empty lines part paragraphs", () => {
  const [first, second] = parseParagraphs("Package: one\nDescription: short\n long\n .\n more\n\n\nPACKAGE: two\n");
  expect(first?.get("description")).toBe("short\nlong\n.\nmore");
  expect(second?.get("package")).toBe("two");
});

describe("declaredLicence()", () => {
  test.each([
    ["GPL-2+", "GPL-2.0-or-later"],
    ["LGPL-2.1", "LGPL-2.1-only"],
    ["GPLv3+", "GPL-3.0-or-later"],
    ["GPL-2.0+", "GPL-2.0-or-later"],
    ["GFDL-NIV-1.3+", "GFDL-1.3-no-invariants-or-later"],
    ["Expat", "MIT"],
    ["BSD-3-clause", "BSD-3-Clause"],
    ["GPL-1+ or Artistic", "GPL-1.0-or-later OR Artistic-1.0"],
    ["GPL-2 and Zlib", "GPL-2.0-only AND Zlib"],
    ["GPL-2+ or LGPL-3, and ISC", "(GPL-2.0-or-later OR LGPL-3.0-only) AND ISC"],
  ])("names %s as SPDX does", (debian, spdx) => {
    expect(declaredLicence("some", `${format}\nFiles: *\nCopyright: us\nLicense: ${debian}\n`)?.expression).toBe(spdx);
  });

  test("counts all parts once, and keeps the text of what SPDX has no name for", () => {
    const text = `${format}
Files: *
License: GPL-1+ or Artistic

Files: a b
License: public-domain
 Nobody owns it.

Files: c
License: house-rules

Files: d
License: public-domain

License: house-rules
 No shoes.
`;
    const licence = declaredLicence("some", text);
    expect(licence?.expression).toBe(
      "(GPL-1.0-or-later OR Artistic-1.0) AND LicenseRef-some-house-rules AND LicenseRef-some-public-domain",
    );
    expect(licence?.texts.get("LicenseRef-some-house-rules")).toBe("No shoes.");
  });

  test.each([
    ["free text", "This package was debianized by somebody.\n\nLicense:\n\n  GPL\n"],
    ["a sentence instead of a name", `${format}\nFiles: *\nLicense: Permission to use, copy, modify and distribute\n`],
    ["no files", `${format}\nLicense: GPL-2\n text\n`],
  ])("says nothing of %s", (_what, text) => {
    expect(declaredLicence("some", text)).toBeUndefined();
  });
});

/** A system with three packages, of which one is removed and one has the documents of another. */
function system(): string {
  const path = join(folder, `${crypto.randomUUID()}.tar`);
  using writer = new LayerWriter(path);
  const common = { mode: 0o644, uid: 0, gid: 0, modified: { seconds: 0, nanoseconds: 0 } };
  const file = (name: string, text: string): void => writer.add({ ...common, type: "file", path: `./${name}` }, Buffer.from(text));
  const control = (name: string, state: string, version: string): string =>
    `Package: ${name}\nStatus: ${state}\nMaintainer: Us <us@example.org>\nArchitecture: amd64\nVersion: ${version}\n`;
  file(
    "var/lib/dpkg/status",
    [
      control("zlib1g", "install ok installed", "1:1.2+deb"),
      control("gone", "deinstall ok config-files", "1"),
      control("app", "install ok installed", "2~rc1"),
    ].join("\n"),
  );
  file(
    packageListPath,
    `Package: zlib1g\nArchitecture: amd64\nVersion: 1:1.2+deb\nSHA256: ${"a".repeat(64)}\n\nPackage: zlib1g\nArchitecture: amd64\nVersion: 0\nSHA256: ${"b".repeat(64)}\n`,
  );
  file("usr/share/doc/zlib1g/copyright", `${format}\nFiles: *\nLicense: Zlib\n`);
  writer.add({ ...common, type: "symlink", path: "./usr/share/doc/app", link: "zlib1g" });
  writer.finish();
  return path;
}

test("installedPackages() finds what is installed, its licence through links, and the checksum of its very version", () => {
  const [app, zlib, ...others] = installedPackages(system());
  expect(others).toEqual([]);
  expect(app).toMatchObject({ name: "app", version: "2~rc1", licence: { expression: "Zlib" } });
  expect(app?.sha256).toBeUndefined();
  expect(zlib).toMatchObject({ name: "zlib1g", architecture: "amd64", sha256: "a".repeat(64) });
});

interface SpdxDocument {
  readonly documentNamespace: string;
  readonly packages: readonly Readonly<Record<string, unknown>>[];
}

test("a bill of materials has what SPDX 2.3 requires, and the same bytes every time", () => {
  const materials = {
    reference: "debian:bookworm",
    diffId: `sha256:${"c".repeat(64)}`,
    packages: installedPackages(system()),
    distribution: { id: "debian", codename: "bookworm" },
    epochSeconds: 1_700_000_000,
  };
  const bytes = spdxDocument(materials);
  expect(spdxDocument({ ...materials, packages: installedPackages(system()) }).equals(bytes)).toBe(true);
  expect(spdxDocument({ ...materials, packages: [] }).equals(bytes)).toBe(false);
  const document = JSON.parse(bytes.toString()) as SpdxDocument;
  expect(document).toMatchObject({
    spdxVersion: "SPDX-2.3",
    dataLicense: "CC0-1.0",
    SPDXID: "SPDXRef-DOCUMENT",
    name: "debian:bookworm",
    creationInfo: { created: "2023-11-14T22:13:20Z", creators: [expect.stringMatching(/^Tool: gantry-/)] },
  });
  expect(document.documentNamespace).toMatch(/^https:\/\/spdx\.org\/spdxdocs\/debian-bookworm-[0-9a-f]{64}$/);
  for (const { SPDXID, name, downloadLocation } of document.packages) {
    expect(SPDXID).toMatch(/^SPDXRef-[A-Za-z0-9.-]+$/);
    expect([typeof name, typeof downloadLocation]).toEqual(["string", "string"]);
  }
  expect(document.packages.at(-1)).toMatchObject({
    name: "zlib1g",
    versionInfo: "1:1.2+deb",
    licenseDeclared: "Zlib",
    supplier: "Organization: Us (us@example.org)",
    checksums: [{ algorithm: "SHA256", checksumValue: "a".repeat(64) }],
    externalRefs: [{ referenceLocator: "pkg:deb/debian/zlib1g@1:1.2%2Bdeb?arch=amd64&distro=bookworm" }],
  });
});

test("distributionOf() reads os-release", () => {
  expect(distributionOf('PRETTY_NAME="x"\nID=ubuntu\nVERSION_CODENAME="noble"\n')).toEqual({ id: "ubuntu", codename: "noble" });
});
