import { mediaTypes } from "#types/oci/image.ts";
import { blob, json, ociArchive, type FixtureBlob, type FixtureImage } from "./fixtures.ts";
import type { TestRegistry } from "./registry.ts";

export interface FixtureArtifact {
  readonly manifest: FixtureBlob;
  readonly blobs: readonly FixtureBlob[];
  readonly descriptor: { readonly mediaType: string; readonly digest: string; readonly size: number; readonly artifactType: string };
}

/** Something that refers to a manifest. */
export function artifact(subject: FixtureBlob, artifactType: string, text: string): FixtureArtifact {
  const empty = blob("{}");
  const content = blob(text);
  const manifest = json({
    schemaVersion: 2,
    mediaType: mediaTypes.ociManifest,
    artifactType,
    config: { mediaType: "application/vnd.oci.empty.v1+json", digest: empty.digest, size: 2 },
    layers: [{ mediaType: artifactType, digest: content.digest, size: content.bytes.length }],
    subject: { mediaType: mediaTypes.ociManifest, digest: subject.digest, size: subject.bytes.length },
    annotations: { "org.opencontainers.image.created": "2026-01-02T03:04:05Z" },
  });
  const descriptor = { mediaType: mediaTypes.ociManifest, digest: manifest.digest, size: manifest.bytes.length, artifactType };
  return { manifest, blobs: [empty, content], descriptor };
}

/** Puts one into a registry under its digest. */
export function putArtifact(registry: TestRegistry, name: string, { manifest, blobs }: FixtureArtifact): void {
  for (const { digest, bytes } of blobs) registry.putBlob(name, digest, bytes);
  registry.putManifest(name, manifest.digest, manifest.bytes, mediaTypes.ociManifest);
}

/** An OCI layout of an image and of what refers to it. */
export function withArtifacts(made: FixtureImage, name: string, artifacts: readonly FixtureArtifact[]): Buffer {
  const entry = {
    mediaType: mediaTypes.ociManifest,
    digest: made.manifest.digest,
    size: made.manifest.bytes.length,
    annotations: { "io.containerd.image.name": name },
  };
  const blobs = artifacts.flatMap((one) => [one.manifest, ...one.blobs]);
  const files = Object.fromEntries(blobs.map(({ digest, bytes }) => [`blobs/sha256/${digest.slice(7)}`, bytes]));
  return ociArchive(
    made,
    {},
    {
      ...files,
      "index.json": JSON.stringify({ schemaVersion: 2, manifests: [entry, ...artifacts.map(({ descriptor }) => descriptor)] }),
    },
  );
}
