import { createReadStream } from "node:fs";
import { encodeHead, endOfArchive, paddingBytes } from "#lib/tar/encode.ts";
import { mediaTypes } from "#types/oci/image.ts";
import type { LayerFile } from "./layer-writer.ts";
import { spdxDocument, spdxType, type Materials } from "./sbom.ts";

export interface BootstrappedImage extends Pick<Materials, "packages" | "distribution"> {
  /** `NAME:TAG` that the archive carries. */
  readonly reference: string;
  readonly layer: LayerFile;
  readonly command: readonly string[];
  /** Of the newest package. */
  readonly epochSeconds: number;
  readonly labels: Readonly<Record<string, string>>;
  /** How it was made, for `history`. */
  readonly createdBy: string;
}

interface Blob {
  readonly bytes: Uint8Array;
  readonly descriptor: { readonly mediaType: string; readonly digest: string; readonly size: number };
}

/**
 * The image as `docker load` takes it and as an OCI layout, in pieces, with its bill of materials as an artifact that refers to it.
 * Source: Docker image specification v1.2, "Combined Image JSON + Filesystem Changeset Format"; OCI image-spec, image-layout.md, config.md.
 */
export async function* imageArchive(image: BootstrappedImage): AsyncGenerator<Uint8Array, void> {
  const { layer, reference } = image;
  const config = jsonBlob(mediaTypes.ociConfig, configOf(image));
  const layerDescriptor = { mediaType: mediaTypes.ociLayer, digest: layer.diffId, size: layer.sizeBytes };
  const manifest = jsonBlob(mediaTypes.ociManifest, {
    schemaVersion: 2,
    mediaType: mediaTypes.ociManifest,
    config: config.descriptor,
    layers: [layerDescriptor],
  });
  const { blobs, entry: artifact } = billOfMaterials(image, manifest);
  const name = { "io.containerd.image.name": `docker.io/library/${reference}`, "org.opencontainers.image.ref.name": tagOf(reference) };
  const index = { schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests: [{ ...manifest.descriptor, annotations: name }, artifact] };
  yield* entry(
    "manifest.json",
    json([{ Config: pathOf(config), RepoTags: [reference], Layers: [pathOf({ descriptor: layerDescriptor })] }]),
  );
  yield* entry("index.json", json(index));
  yield* entry("oci-layout", json({ imageLayoutVersion: "1.0.0" }));
  for (const blob of [config, manifest, ...blobs]) yield* entry(pathOf(blob), blob.bytes);
  yield head(pathOf({ descriptor: layerDescriptor }), layer.sizeBytes);
  yield* createReadStream(layer.path, { highWaterMark: 1 << 18 }) as AsyncIterable<Uint8Array>;
  yield Buffer.alloc(paddingBytes(layer.sizeBytes));
  yield endOfArchive;
}

/** Source: OCI image-spec, manifest.md, "Guidelines for Artifact Usage". */
function billOfMaterials(image: BootstrappedImage, subject: Blob): { readonly blobs: readonly Blob[]; readonly entry: object } {
  const document = toBlob(spdxType, spdxDocument({ ...image, diffId: image.layer.diffId }));
  const empty = toBlob("application/vnd.oci.empty.v1+json", Buffer.from("{}"));
  const annotations = { "org.opencontainers.image.created": timeOf(image.epochSeconds) };
  const manifest = jsonBlob(mediaTypes.ociManifest, {
    schemaVersion: 2,
    mediaType: mediaTypes.ociManifest,
    artifactType: spdxType,
    config: empty.descriptor,
    layers: [document.descriptor],
    subject: subject.descriptor,
    annotations,
  });
  return { blobs: [empty, document, manifest], entry: { ...manifest.descriptor, artifactType: spdxType, annotations } };
}

function configOf({ layer, command, epochSeconds, labels, createdBy }: BootstrappedImage) {
  const created = timeOf(epochSeconds);
  return {
    architecture: process.arch === "x64" ? "amd64" : process.arch,
    os: "linux",
    created,
    config: {
      Env: ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"],
      Cmd: command,
      Labels: labels,
    },
    rootfs: { type: "layers", diff_ids: [layer.diffId] },
    history: [{ created, created_by: createdBy }],
  };
}

const timeOf = (epochSeconds: number): string => new Date(epochSeconds * 1000).toISOString().replace(".000Z", "Z");
const tagOf = (reference: string): string => reference.slice(reference.indexOf(":") + 1);
const json = (value: unknown): Buffer => Buffer.from(JSON.stringify(value));
const jsonBlob = (mediaType: string, value: unknown): Blob => toBlob(mediaType, json(value));
const pathOf = ({ descriptor }: Pick<Blob, "descriptor">): string => `blobs/${descriptor.digest.replace(":", "/")}`;

function toBlob(mediaType: string, bytes: Uint8Array): Blob {
  const digest = `sha256:${new Bun.CryptoHasher("sha256").update(bytes).digest("hex")}`;
  return { bytes, descriptor: { mediaType, digest, size: bytes.length } };
}

function* entry(path: string, content: Uint8Array): Generator<Uint8Array, void> {
  yield head(path, content.length);
  yield content;
  yield Buffer.alloc(paddingBytes(content.length));
}

function head(path: string, sizeBytes: number): Uint8Array {
  return encodeHead({ type: "file", path, mode: 0o644, uid: 0, gid: 0, modified: { seconds: 0, nanoseconds: 0 }, sizeBytes });
}
