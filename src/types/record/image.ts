/** An image: one config with its layers. The id is the digest of the config. */
export interface ImageRecord {
  readonly id: string;
  /** Manifest as it came, or as it was made; its digest is what `RepoDigests` name. */
  readonly manifestDigest: string;
  readonly manifestMediaType: string;
  /** Lowest first. */
  readonly layers: readonly ImageLayerRecord[];
  readonly architecture: string;
  readonly os: string;
  readonly variant?: string;
  /** RFC 3339, from the config. */
  readonly createdAt?: string;
  /** Uncompressed bytes of all layers. */
  readonly sizeBytes: number;
  /** Nanoseconds since 1970 as decimal digits: when a tag was last put on it. */
  readonly lastTaggedNano?: string;
  /** Milliseconds since 1970: a container was made, started or ended from it. Written now and then. */
  readonly lastUsedAt?: number;
  /** Set for images made by commit and build here. */
  readonly parent?: string;
  /** Artifacts that refer to its manifest: they live and die with it. */
  readonly referrers?: readonly ReferrerRecord[];
}

/** An artifact whose manifest names an image's manifest as its subject: a signature, a bill of materials. */
export interface ReferrerRecord {
  readonly digest: string;
  readonly mediaType: string;
  readonly sizeBytes: number;
  readonly artifactType: string;
  readonly annotations?: Readonly<Record<string, string>>;
  /** Digest of the manifest it refers to. */
  readonly subject: string;
  /** Config and content. */
  readonly blobs: readonly { readonly digest: string; readonly sizeBytes: number }[];
}

export interface ImageLayerRecord {
  readonly diffId: string;
  readonly chainId: string;
  readonly sizeBytes: number;
  /** The blob as the registry has it, and what its descriptor said. */
  readonly digest: string;
  readonly compressedBytes: number;
  readonly mediaType: string;
}

/** A name of an image: `docker.io/library/busybox:latest` or `…@sha256:…` in full form. */
export interface ImageReferenceRecord {
  readonly reference: string;
  readonly imageId: string;
  /** Digest of the manifest or index the name stands for in its registry. */
  readonly targetDigest: string;
}
