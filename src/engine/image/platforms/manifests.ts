import type { ContentStore } from "#drivers/content/types.ts";
import { isDigest } from "#lib/digest.ts";
import type { Descriptor, Platform } from "#types/oci/image.ts";
import type { ImageRecord } from "#types/record/image.ts";
import type { ImageService } from "../service.ts";

/** One manifest of what a name stands for, and what of it is here. */
export interface ImageManifest {
  readonly descriptor: Descriptor;
  /** Config and layers are here: a container can be made from it. */
  readonly isAvailable: boolean;
  /** Bytes of its blobs in the content store. */
  readonly contentBytes: number;
  readonly kind:
    | {
        readonly type: "image";
        readonly platform: Platform;
        /** Uncompressed. */
        readonly unpackedBytes: number;
        /** Ids of the containers made from it. */
        readonly containers: readonly string[];
      }
    | { readonly type: "attestation"; readonly subject: string }
    | { readonly type: "unknown" };
}

export interface ManifestDependencies {
  readonly images: ImageService;
  readonly content: ContentStore;
  containersOf(imageId: string): readonly string[];
}

/** The manifests of all that an image's names stand for, in the order of their indexes; its own first where no index is known. */
export async function imageManifests(deps: ManifestDependencies, image: ImageRecord): Promise<ImageManifest[]> {
  const entries = new Map<string, Descriptor>();
  for (const { targetDigest } of deps.images.references(image.id))
    for (const entry of deps.images.indexes.entries(targetDigest) ?? []) entries.set(entry.digest, entry);
  const own = entries.has(image.manifestDigest) ? [] : [await ownDescriptor(deps, image)];
  const local = new Map([...deps.images.list(), image].map((one) => [one.manifestDigest, one]));
  return Promise.all([...own, ...entries.values()].map((entry) => describe(deps, entry, local.get(entry.digest))));
}

async function ownDescriptor({ content }: ManifestDependencies, image: ImageRecord): Promise<Descriptor> {
  const { manifestDigest: digest, manifestMediaType: mediaType } = image;
  return { mediaType, digest, size: (isDigest(digest) && (await content.info(digest))?.sizeBytes) || 0 };
}

async function describe(deps: ManifestDependencies, descriptor: Descriptor, image: ImageRecord | undefined): Promise<ImageManifest> {
  const subject = attestedDigest(descriptor);
  if (subject !== undefined) return { ...nothingHere, descriptor, kind: { type: "attestation", subject } };
  const platform = descriptor.platform ?? (image && platformOf(image));
  if (!platform) return { ...nothingHere, descriptor, kind: { type: "unknown" } };
  if (!image) return { ...nothingHere, descriptor, kind: { type: "image", platform, unpackedBytes: 0, containers: [] } };
  const containers = deps.containersOf(image.id);
  const contentBytes = await bytesOf(deps.content, image);
  return { descriptor, isAvailable: true, contentBytes, kind: { type: "image", platform, unpackedBytes: image.sizeBytes, containers } };
}

const nothingHere = { isAvailable: false, contentBytes: 0 };

/** BuildKit keeps attestations in the index of the image: `unknown/unknown`, and whose they are in annotations. */
function attestedDigest({ annotations = {} }: Descriptor): string | undefined {
  return annotations["vnd.docker.reference.type"] === "attestation-manifest"
    ? (annotations["vnd.docker.reference.digest"] ?? "")
    : undefined;
}

function platformOf({ architecture, os, variant }: ImageRecord): Platform {
  return { architecture, os, ...(variant !== undefined && { variant }) };
}

async function bytesOf(content: ContentStore, image: ImageRecord): Promise<number> {
  const digests = new Set([image.id, image.manifestDigest, ...image.layers.map(({ digest }) => digest)]);
  const blobs = await Promise.all([...digests].filter(isDigest).map((digest) => content.info(digest)));
  return blobs.reduce((sum, blob) => sum + (blob?.sizeBytes ?? 0), 0);
}
