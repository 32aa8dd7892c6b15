import type { ImageService } from "#engine/image/service.ts";
import { parseTimeNano } from "#lib/clock.ts";
import { familiarName, familiarReference, parseReference } from "#lib/reference.ts";
import type { ImageRecord } from "#types/record/image.ts";

/** Tags and digests of an image in their short form. */
export function shownReferences(images: ImageService, id: string): { readonly tags: string[]; readonly digests: string[] } {
  const references = images.references(id).map(({ reference }) => parseReference(reference));
  return {
    tags: references.filter((reference) => !reference.digest).map(familiarReference),
    digests: references.filter((reference) => reference.digest).map((reference) => `${familiarName(reference)}@${reference.digest}`),
  };
}

/** One line of the list. -1: not counted. */
export function toImageSummary(
  images: ImageService,
  image: ImageRecord,
  counts: { readonly containers: number; readonly sharedBytes: number },
): unknown {
  const { tags, digests } = shownReferences(images, image.id);
  return {
    Containers: counts.containers,
    Created: createdSeconds(image),
    Id: image.id,
    Labels: images.config(image.id).config?.Labels ?? null,
    ParentId: image.parent ?? "",
    RepoDigests: digests,
    RepoTags: tags,
    SharedSize: counts.sharedBytes,
    Size: image.sizeBytes,
  };
}

export function createdSeconds(image: ImageRecord): number {
  return Number((parseTimeNano(image.createdAt ?? "") ?? 0n) / 1_000_000_000n);
}

/** Source: Engine API, ImageInspect. */
export function toImageInspect(images: ImageService, image: ImageRecord, snapshotter: string): unknown {
  const config = images.config(image.id);
  const { tags, digests } = shownReferences(images, image.id);
  return {
    Id: image.id,
    RepoTags: tags,
    RepoDigests: digests,
    Parent: image.parent ?? "",
    Comment: config.comment ?? config.history?.at(-1)?.comment ?? "",
    ...(image.createdAt !== undefined && { Created: image.createdAt }),
    DockerVersion: config.docker_version ?? "",
    Author: config.author ?? "",
    Architecture: image.architecture,
    ...(image.variant !== undefined && { Variant: image.variant }),
    Os: image.os,
    Size: image.sizeBytes,
    GraphDriver: { Name: snapshotter, Data: {} },
    RootFS: { Type: "layers", Layers: image.layers.map((layer) => layer.diffId) },
    Metadata: { LastTagTime: lastTagTime(image) },
    Config: {
      Cmd: config.config?.Cmd ?? null,
      Entrypoint: config.config?.Entrypoint ?? null,
      Env: config.config?.Env ?? null,
      Labels: config.config?.Labels ?? null,
      OnBuild: config.config?.OnBuild ?? null,
      User: config.config?.User ?? "",
      Volumes: config.config?.Volumes ?? null,
      WorkingDir: config.config?.WorkingDir ?? "",
      ...(config.config?.ExposedPorts && { ExposedPorts: config.config.ExposedPorts }),
      ...(config.config?.StopSignal && { StopSignal: config.config.StopSignal }),
      ...(config.config?.Healthcheck && { Healthcheck: config.config.Healthcheck }),
      ...(config.config?.Shell && { Shell: config.config.Shell }),
    },
  };
}

function lastTagTime(image: ImageRecord): string {
  if (image.lastTaggedNano === undefined) return "0001-01-01T00:00:00Z";
  return new Date(Number(BigInt(image.lastTaggedNano) / 1_000_000n)).toISOString();
}
