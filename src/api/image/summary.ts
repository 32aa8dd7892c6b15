import type { ImageService } from "#engine/image/service.ts";
import { parseTimeNano } from "#lib/clock.ts";
import { familiarName, familiarReference, formatReference, parseReference, type Reference } from "#lib/reference.ts";
import type { ImageConfig } from "#types/oci/image.ts";
import type { ImageRecord } from "#types/record/image.ts";
import { apiVersionOf, type ApiVersion } from "../http/version.ts";
import { containerConfig, legacyConfig } from "./legacy-config.ts";

/** Names of an image in their short form. */
export interface ShownReferences {
  readonly tags: readonly string[];
  readonly digests: readonly string[];
}

/** Names of an image, in order. */
export function referencesOf(images: ImageService, id: string): Reference[] {
  const order = (reference: Reference): string => formatReference(reference);
  const references = images.references(id).map(({ reference }) => parseReference(reference));
  return references.sort((a, b) => (order(a) < order(b) ? -1 : 1));
}

export function shownReferences(references: readonly Reference[]): ShownReferences {
  return {
    tags: references.filter((reference) => !reference.digest).map(familiarReference),
    digests: references.filter((reference) => reference.digest).map((reference) => `${familiarName(reference)}@${reference.digest}`),
  };
}

export interface ImageCounts {
  /** Containers made from it. */
  readonly containers: number;
  /** Bytes of layers that other images have too; -1: not counted. */
  readonly sharedBytes: number;
}

/** An image in a list. Names it does not have are null, as in the answer of `/system/df`. */
export function toImageSummary(
  images: ImageService,
  image: ImageRecord,
  { tags, digests }: ShownReferences,
  counts: ImageCounts,
  apiVersion: ApiVersion,
) {
  return {
    Containers: counts.containers,
    Created: createdSeconds(image),
    Id: image.id,
    Labels: images.labels(image.id) ?? null,
    ParentId: image.parent ?? "",
    RepoDigests: digests.length > 0 ? digests : null,
    RepoTags: tags.length > 0 ? tags : null,
    SharedSize: counts.sharedBytes,
    Size: image.sizeBytes,
    ...(apiVersion < apiVersionOf(1, 44) && { VirtualSize: image.sizeBytes }),
  };
}

/** As the list of images shows it: since 1.43 without null, before that with a placeholder for an image without any name. */
export function toListed(summary: ReturnType<typeof toImageSummary>, apiVersion: ApiVersion): object {
  const { RepoDigests, RepoTags } = summary;
  if (apiVersion >= apiVersionOf(1, 43)) return { ...summary, RepoDigests: RepoDigests ?? [], RepoTags: RepoTags ?? [] };
  return RepoDigests || RepoTags ? summary : { ...summary, RepoDigests: ["<none>@<none>"], RepoTags: ["<none>:<none>"] };
}

/** Bytes of an image's layers that at least one other image has too. */
export function sharedBytesOf(images: readonly ImageRecord[]): (image: ImageRecord) => number {
  const owners = new Map<string, number>();
  for (const { layers } of images) for (const { chainId } of layers) owners.set(chainId, (owners.get(chainId) ?? 0) + 1);
  return ({ layers }) => layers.filter(({ chainId }) => (owners.get(chainId) ?? 0) > 1).reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
}

/** Nanoseconds since 1970; 0 when the config does not tell. */
export function createdNano(image: ImageRecord): bigint {
  return parseTimeNano(image.createdAt ?? "") ?? 0n;
}

export function createdSeconds(image: ImageRecord): number {
  return Number(createdNano(image) / 1_000_000_000n);
}

/** Source: Engine API, ImageInspect; what came and went with versions: its version history. */
export function toImageInspect(images: ImageService, image: ImageRecord, snapshotter: string, apiVersion: ApiVersion): object {
  const config = images.config(image.id);
  const before = (minor: number): boolean => apiVersion < apiVersionOf(1, minor);
  const { tags, digests } = shownReferences(referencesOf(images, image.id));
  return {
    Id: image.id,
    RepoTags: tags,
    RepoDigests: digests,
    Parent: image.parent ?? "",
    Comment: config.comment ?? config.history?.at(-1)?.comment ?? "",
    ...(image.createdAt !== undefined && { Created: image.createdAt }),
    ...(image.createdAt === undefined && before(44) && { Created: "0001-01-01T00:00:00Z" }),
    ...(before(45) && madeFrom(config)),
    DockerVersion: config.docker_version ?? "",
    Author: config.author ?? "",
    Architecture: image.architecture,
    ...(image.variant !== undefined && { Variant: image.variant }),
    Os: image.os,
    Size: image.sizeBytes,
    ...(before(44) && { VirtualSize: image.sizeBytes }),
    GraphDriver: { Name: snapshotter, Data: snapshotter === "vfs" ? null : {} },
    RootFS: { Type: "layers", Layers: image.layers.map((layer) => layer.diffId) },
    Metadata: { LastTagTime: lastTagTime(image) },
    Config: before(50) ? legacyConfig(config.config ?? {}) : containerConfig(config.config ?? {}),
  };
}

/** Of an image made by a commit. Source: Engine API version history, v1.45. */
function madeFrom({ container, container_config }: ImageConfig): Readonly<Record<string, unknown>> {
  return {
    ...(typeof container === "string" && { Container: container }),
    ContainerConfig: typeof container_config === "object" && container_config !== null ? container_config : legacyConfig({}),
  };
}

function lastTagTime(image: ImageRecord): string {
  if (image.lastTaggedNano === undefined) return "0001-01-01T00:00:00Z";
  return new Date(Number(BigInt(image.lastTaggedNano) / 1_000_000n)).toISOString();
}
