import { sha256, type Digest } from "#lib/digest.ts";
import { encodeHead, endOfArchive, paddingBytes, type TarEntryHead } from "#lib/tar/encode.ts";
import { mediaTypes } from "#types/oci/image.ts";

export type Files = Readonly<Record<string, string | Uint8Array | { readonly link: string } | { readonly hardlink: string }>>;

/** A plain tar of files and links, made by our own writer. */
export function tar(files: Files): Buffer {
  const pieces: Uint8Array[] = [];
  for (const [path, content] of Object.entries(files)) {
    const isData = typeof content === "string" || content instanceof Uint8Array;
    const bytes = isData ? Buffer.from(content) : Buffer.alloc(0);
    const link = isData ? "" : "link" in content ? content.link : content.hardlink;
    const type: TarEntryHead["type"] = isData ? (path.endsWith("/") ? "directory" : "file") : "link" in content ? "symlink" : "hardlink";
    const head = {
      type,
      path,
      link,
      mode: 0o755,
      uid: 0,
      gid: 0,
      modified: { seconds: 1_700_000_000, nanoseconds: 0 },
      sizeBytes: bytes.length,
    };
    pieces.push(encodeHead(head), bytes, Buffer.alloc(paddingBytes(bytes.length)));
  }
  return Buffer.concat([...pieces, endOfArchive]);
}

export interface FixtureBlob {
  readonly digest: Digest;
  readonly bytes: Buffer;
}

export interface FixtureImage {
  readonly config: FixtureBlob;
  readonly manifest: FixtureBlob;
  readonly layers: readonly (FixtureBlob & { readonly tar: Buffer; readonly diffId: Digest })[];
}

export const blob = (content: string | Uint8Array): FixtureBlob => ({ digest: sha256(content), bytes: Buffer.from(content) });
export const json = (value: unknown): FixtureBlob => blob(JSON.stringify(value));

interface ImageOptions {
  readonly architecture?: string;
  readonly compress?: "gzip" | "zstd" | "none";
  /** Changes of the config, put over it. */
  readonly config?: Readonly<Record<string, unknown>>;
  readonly manifest?: Readonly<Record<string, unknown>>;
}

/** An image with one layer per set of files. */
export function image(layerFiles: readonly Files[], options: ImageOptions = {}): FixtureImage {
  const { compress = "gzip" } = options;
  const layers = layerFiles.map((files) => {
    const archive = tar(files);
    const bytes =
      compress === "gzip" ? Bun.gzipSync(Uint8Array.from(archive)) : compress === "zstd" ? Bun.zstdCompressSync(archive) : archive;
    return { ...blob(bytes), tar: archive, diffId: sha256(archive) };
  });
  const config = json({
    created: "2026-01-02T03:04:05Z",
    architecture: options.architecture ?? (process.arch === "x64" ? "amd64" : process.arch),
    os: "linux",
    config: { Cmd: ["/bin/true"], Env: ["A=b"], Volumes: null },
    rootfs: { type: "layers", diff_ids: layers.map(({ diffId }) => diffId) },
    history: layers.map(() => ({ created_by: "test" })),
    ...options.config,
  });
  const mediaType = { gzip: mediaTypes.ociLayerGzip, zstd: mediaTypes.ociLayerZstd, none: mediaTypes.ociLayer }[compress];
  const manifest = json({
    schemaVersion: 2,
    mediaType: mediaTypes.ociManifest,
    config: { mediaType: mediaTypes.ociConfig, digest: config.digest, size: config.bytes.length },
    layers: layers.map(({ digest, bytes }) => ({ mediaType, digest, size: bytes.length })),
    ...options.manifest,
  });
  return { config, manifest, layers };
}

const hex = (digest: string): string => digest.slice(7);

/** As `docker save` writes one: manifest.json alone, layers as plain tars. */
export function dockerArchive(made: FixtureImage, tags: readonly string[] | null, extra: Files = {}): Buffer {
  const layerFiles = Object.fromEntries(made.layers.map((layer) => [`${hex(layer.diffId)}.tar`, layer.tar]));
  const item = { Config: `${hex(made.config.digest)}.json`, RepoTags: tags, Layers: Object.keys(layerFiles) };
  return tar({ ...layerFiles, [item.Config]: made.config.bytes, "manifest.json": JSON.stringify([item]), ...extra });
}

/** An OCI layout. @param names  annotations of the only entry */
export function ociArchive(made: FixtureImage, annotations: Readonly<Record<string, string>>, extra: Files = {}): Buffer {
  const blobs = [made.config, made.manifest, ...made.layers].map(({ digest, bytes }) => [`blobs/sha256/${hex(digest)}`, bytes] as const);
  const entry = { mediaType: mediaTypes.ociManifest, digest: made.manifest.digest, size: made.manifest.bytes.length, annotations };
  return tar({
    ...Object.fromEntries(blobs),
    "oci-layout": '{"imageLayoutVersion":"1.0.0"}',
    "index.json": JSON.stringify({ schemaVersion: 2, manifests: [entry] }),
    ...extra,
  });
}
