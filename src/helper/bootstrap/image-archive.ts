import { createReadStream } from "node:fs";
import { encodeHead, endOfArchive, paddingBytes } from "#lib/tar/encode.ts";
import type { LayerFile } from "./layer-writer.ts";

export interface BootstrappedImage {
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

/**
 * The image as `docker load` takes it, in pieces: manifest.json, config, layer.
 * Source: Docker image specification v1.2, "Combined Image JSON + Filesystem Changeset Format"; OCI image-spec, config.md.
 */
export async function* imageArchive(image: BootstrappedImage): AsyncGenerator<Uint8Array, void> {
  const config = Buffer.from(JSON.stringify(configOf(image)));
  const configName = `${new Bun.CryptoHasher("sha256").update(config).digest("hex")}.json`;
  const manifest = Buffer.from(JSON.stringify([{ Config: configName, RepoTags: [image.reference], Layers: ["layer.tar"] }]));
  yield* entry("manifest.json", manifest);
  yield* entry(configName, config);
  yield head("layer.tar", image.layer.sizeBytes);
  yield* createReadStream(image.layer.path, { highWaterMark: 1 << 18 }) as AsyncIterable<Uint8Array>;
  yield Buffer.alloc(paddingBytes(image.layer.sizeBytes));
  yield endOfArchive;
}

function configOf({ layer, command, epochSeconds, labels, createdBy }: BootstrappedImage) {
  const created = new Date(epochSeconds * 1000).toISOString().replace(".000Z", "Z");
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

function* entry(path: string, content: Uint8Array): Generator<Uint8Array, void> {
  yield head(path, content.length);
  yield content;
  yield Buffer.alloc(paddingBytes(content.length));
}

function head(path: string, sizeBytes: number): Uint8Array {
  return encodeHead({ type: "file", path, mode: 0o644, uid: 0, gid: 0, modified: { seconds: 0, nanoseconds: 0 }, sizeBytes });
}
