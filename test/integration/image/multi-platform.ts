import { mediaTypes } from "#types/oci/image.ts";
import { image, json, type FixtureBlob, type FixtureImage } from "./fixtures.ts";
import type { TestRegistry } from "./registry.ts";

/** Architecture of this machine. */
export const host = process.arch === "x64" ? "amd64" : process.arch;
/** Another one. */
export const foreign = host === "arm64" ? "amd64" : "arm64";

/** A name for the host and for another one, with an attestation and a platform that nobody has. */
export function putIndex(registry: TestRegistry, tag = "1"): { name: string; index: FixtureBlob; own: FixtureImage; other: FixtureImage } {
  const own = image([{ one: `own ${tag}` }]);
  const other = image([{ one: `other ${tag}` }], { architecture: foreign });
  for (const made of [own, other]) registry.put("team/app", "unused", made);
  const entry = (made: FixtureImage, architecture: string) => ({
    mediaType: mediaTypes.ociManifest,
    digest: made.manifest.digest,
    size: made.manifest.bytes.length,
    platform: { os: "linux", architecture },
  });
  const nowhere = { mediaType: mediaTypes.ociManifest, digest: `sha256:${"e".repeat(64)}`, size: 5 };
  const index = json({
    schemaVersion: 2,
    mediaType: mediaTypes.ociIndex,
    manifests: [
      entry(own, host),
      entry(other, foreign),
      { ...nowhere, platform: { os: "linux", architecture: "s390x" } },
      {
        ...nowhere,
        digest: `sha256:${"d".repeat(64)}`,
        platform: { os: "unknown", architecture: "unknown" },
        annotations: { "vnd.docker.reference.type": "attestation-manifest", "vnd.docker.reference.digest": own.manifest.digest },
      },
    ],
  });
  for (const reference of [tag, index.digest]) registry.putManifest("team/app", reference, index.bytes, mediaTypes.ociIndex);
  return { name: `${registry.host}/team/app:${tag}`, index, own, other };
}
