import { parseManifest } from "#drivers/distribution/parse-manifest.ts";
import { isDigest, parseDigest, type Digest } from "#lib/digest.ts";
import { EngineError } from "#lib/errors.ts";
import { mediaTypes, type Descriptor, type Manifest } from "#types/oci/image.ts";
import type { ImageArchive } from "./image-archive.ts";

/** One image manifest of an OCI layout. */
export interface LayoutImage {
  readonly digest: Digest;
  readonly mediaType: string;
  readonly bytes: Uint8Array;
  readonly manifest: Manifest;
  /** Full or short names from the entry's annotations. */
  readonly names: readonly string[];
  readonly platform: Descriptor["platform"];
  /** The index that the names stand for, where they are not the manifest's own. */
  readonly index: LayoutIndex | undefined;
}

export interface LayoutIndex {
  readonly digest: Digest;
  readonly bytes: Uint8Array;
}

export const layoutIndexName = "index.json";
const maximumDepth = 3;
const maximumManifests = 256;

/**
 * The images of index.json, through indexes inside it. What is no image (signatures, attestations) is passed over; blobs that are not in the
 * archive too, as `docker save --platform` leaves them out.
 * @throws {EngineError} `invalid`, `internal` for damaged documents
 * Source: OCI image-spec, image-layout.md.
 */
export async function readLayout(archive: ImageArchive): Promise<LayoutImage[]> {
  const document = parseManifest(await archive.document(layoutIndexName), mediaTypes.ociIndex);
  const images: LayoutImage[] = [];
  if (document.kind === "index") await collect(archive, document.index.manifests, { depth: 0, names: [], index: undefined, images });
  return images;
}

interface Collection {
  readonly depth: number;
  /** Names of the index this one is in. */
  readonly names: readonly string[];
  /** The outermost that has a name. */
  readonly index: LayoutIndex | undefined;
  readonly images: LayoutImage[];
}

async function collect(archive: ImageArchive, entries: readonly Descriptor[], collection: Collection): Promise<void> {
  if (collection.depth > maximumDepth) throw new EngineError("invalid", `image indexes are nested more than ${maximumDepth} deep`);
  for (const entry of entries) {
    const digest = parseDigest(entry.digest);
    if (!archive.has(archive.blobPath(digest)) || isNoImage(entry)) continue;
    const bytes = await archive.blob(digest);
    if (bytes.length !== entry.size)
      throw new EngineError("invalid", `invalid archive: blob ${digest} has another size than its descriptor`);
    const document = parseManifest(bytes, entry.mediaType);
    const names = [...collection.names, ...namesOf(entry)];
    if (document.kind === "index") {
      const index = collection.index ?? (names.length > 0 ? { digest, bytes } : undefined);
      await collect(archive, document.index.manifests, { ...collection, depth: collection.depth + 1, names, index });
    } else {
      const { mediaType, manifest } = document;
      collection.images.push({ digest, mediaType, bytes, manifest, names, platform: entry.platform, index: collection.index });
    }
    if (collection.images.length > maximumManifests) throw new EngineError("invalid", "invalid archive: too many images");
  }
}

function isNoImage({ platform, annotations, artifactType }: Descriptor): boolean {
  return platform?.os === "unknown" || annotations?.["vnd.docker.reference.type"] !== undefined || artifactType !== undefined;
}

/** containerd writes the whole name, skopeo and buildah put it where OCI wants only a tag. */
function namesOf({ annotations = {} }: Descriptor): string[] {
  const full = annotations["io.containerd.image.name"];
  if (typeof full === "string") return [full];
  const name = annotations["org.opencontainers.image.ref.name"];
  return typeof name === "string" && /[:/]/.test(name) && !isDigest(name) ? [name] : [];
}
