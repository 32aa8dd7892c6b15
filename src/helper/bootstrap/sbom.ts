import { version } from "#lib/version.ts";
import type { SoftwarePackage } from "./sbom-package.ts";

/** What a bill of materials is made of. */
export interface Materials {
  /** `debian:bookworm` */
  readonly reference: string;
  /** Of the layer: names the content. */
  readonly diffId: string;
  readonly packages: readonly SoftwarePackage[];
  /** Whose packages they are: `debian`, and its suite where there is one. */
  readonly distribution: { readonly id: string; readonly codename: string };
  readonly epochSeconds: number;
}

export const spdxType = "application/spdx+json";
const unknown = "NOASSERTION";
const root = "SPDXRef-image";

/** The bill of materials of an image: the same bytes for the same packages. Source: SPDX 2.3, schema `spdx-schema.json`; purl-spec, type `deb`. */
export function spdxDocument(materials: Materials): Buffer {
  const { reference, diffId, packages, distribution, epochSeconds } = materials;
  const content = JSON.stringify([version, reference, diffId, distribution, epochSeconds, packages.map(plain)]);
  const hash = new Bun.CryptoHasher("sha256").update(content).digest("hex");
  const texts = new Map(packages.flatMap(({ licence }) => [...(licence?.texts ?? [])]));
  const document = {
    spdxVersion: "SPDX-2.3",
    dataLicense: "CC0-1.0",
    SPDXID: "SPDXRef-DOCUMENT",
    name: reference,
    documentNamespace: `https://spdx.org/spdxdocs/${reference.replace(/[^A-Za-z0-9.-]+/g, "-")}-${hash}`,
    creationInfo: {
      created: new Date(epochSeconds * 1000).toISOString().replace(".000Z", "Z"),
      creators: [`Tool: gantry-${version}`],
    },
    documentDescribes: [root],
    packages: [
      {
        SPDXID: root,
        name: reference,
        downloadLocation: unknown,
        filesAnalyzed: false,
        licenseConcluded: unknown,
        licenseDeclared: unknown,
        copyrightText: unknown,
        primaryPackagePurpose: "CONTAINER",
        checksums: [{ algorithm: "SHA256", checksumValue: diffId.replace(/^sha256:/, "") }],
      },
      ...packages.map((one) => toSpdxPackage(one, materials)),
    ],
    ...(texts.size > 0 && {
      hasExtractedLicensingInfos: [...texts]
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([licenseId, extractedText]) => ({ licenseId, extractedText })),
    }),
    relationships: [
      { spdxElementId: "SPDXRef-DOCUMENT", relationshipType: "DESCRIBES", relatedSpdxElement: root },
      ...packages.map((one) => ({ spdxElementId: root, relationshipType: "CONTAINS", relatedSpdxElement: idOf(one) })),
    ],
  };
  return Buffer.from(JSON.stringify(document));
}

function toSpdxPackage(one: SoftwarePackage, materials: Materials) {
  const { name, version: versionInfo, maintainer, homepage, licence, sha256 } = one;
  return {
    SPDXID: idOf(one),
    name,
    versionInfo,
    downloadLocation: unknown,
    filesAnalyzed: false,
    licenseConcluded: unknown,
    licenseDeclared: licence?.expression ?? unknown,
    copyrightText: unknown,
    ...(maintainer !== undefined && { supplier: supplierOf(maintainer) }),
    ...(homepage !== undefined && { homepage }),
    ...(sha256 !== undefined && { checksums: [{ algorithm: "SHA256", checksumValue: sha256 }] }),
    externalRefs: [{ referenceCategory: "PACKAGE-MANAGER", referenceType: "purl", referenceLocator: purl(one, materials) }],
  };
}

/** `Name <address>`, in SPDX's form. */
function supplierOf(maintainer: string): string {
  const [, name = maintainer, address] = /^(.*?)\s*<([^>]*)>$/.exec(maintainer) ?? [];
  return `Organization: ${name}${address === undefined ? "" : ` (${address})`}`;
}

const idOf = ({ name, architecture }: SoftwarePackage): string =>
  `SPDXRef-deb-${`${name}-${architecture}`.replace(/[^A-Za-z0-9.-]/g, "-")}`;

function purl({ name, version: packageVersion, architecture }: SoftwarePackage, { distribution }: Materials): string {
  const encoded = (text: string): string => encodeURIComponent(text).replaceAll("%3A", ":");
  const distro = distribution.codename === "" ? "" : `&distro=${encoded(distribution.codename)}`;
  return `pkg:deb/${encoded(distribution.id)}/${encoded(name)}@${encoded(packageVersion)}?arch=${encoded(architecture)}${distro}`;
}

/** As JSON has it: a map would be lost. */
const plain = ({ licence, ...rest }: SoftwarePackage) => ({ ...rest, licence: licence && { ...licence, texts: [...licence.texts] } });
