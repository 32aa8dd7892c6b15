import type { ContainerService } from "#engine/container/service.ts";
import type { ImageService } from "#engine/image/service.ts";
import type { NetworkService } from "#engine/network/service.ts";
import type { VolumeService } from "#engine/volume/service.ts";
import { systemClock } from "#lib/clock.ts";
import { EngineError } from "#lib/errors.ts";
import { toSummary } from "../container/summary.ts";
import type { ApiRequest } from "../http/request.ts";
import { json, type ApiResponse } from "../http/response.ts";
import type { ApiVersion } from "../http/version.ts";
import { referencesOf, sharedBytesOf, shownReferences, toImageSummary } from "../image/summary.ts";
import { toVolume } from "../volume/routes.ts";

export interface DiskUsageServices {
  readonly containers: ContainerService;
  readonly images: ImageService;
  readonly networks: NetworkService;
  readonly volumes: VolumeService;
}

const types = ["container", "image", "volume", "build-cache"];

/** Lists that were not asked for are null. Source: Engine API, SystemDataUsage. */
export async function diskUsage(services: DiskUsageServices, { query, apiVersion }: ApiRequest): Promise<ApiResponse> {
  const asked = query.getAll("type");
  for (const type of asked) if (!types.includes(type)) throw new EngineError("invalid", `unknown object type: ${type}`);
  const wants = (type: string): boolean => asked.length === 0 || asked.includes(type);
  return json(200, {
    LayersSize: wants("image") ? layersBytes(services.images) : 0,
    Images: wants("image") ? imageUsage(services, apiVersion) : null,
    Containers: wants("container") ? await containerUsage(services) : null,
    Volumes: wants("volume") ? await volumeUsage(services) : null,
    BuildCache: wants("build-cache") ? [] : null,
  });
}

/** Each layer once, however many images have it. */
function layersBytes(images: ImageService): number {
  const sizes = new Map(images.list().flatMap(({ layers }) => layers.map(({ chainId, sizeBytes }) => [chainId, sizeBytes] as const)));
  return [...sizes.values()].reduce((sum, size) => sum + size, 0);
}

function imageUsage({ images, containers }: DiskUsageServices, apiVersion: ApiVersion): unknown[] {
  const records = images.list();
  const sharedBytes = sharedBytesOf(records);
  const users = containers.list();
  const shown = records.filter(({ id }) => !images.isIntermediate(id));
  return shown.map((image) => {
    const counts = { containers: users.filter(({ imageId }) => imageId === image.id).length, sharedBytes: sharedBytes(image) };
    return toImageSummary(images, image, shownReferences(referencesOf(images, image.id)), counts, apiVersion);
  });
}

function containerUsage(services: DiskUsageServices): Promise<unknown[]> {
  const { containers, images } = services;
  const now = systemClock.nowNano();
  return Promise.all(
    containers.list().map(async (record) => {
      const { sizeBytes } = await containers.size(record.id);
      const rootFs = sizeBytes + (images.peek(record.imageId)?.sizeBytes ?? 0);
      return toSummary(record, services, { now, imageName: record.config.Image ?? "", size: { rw: sizeBytes, rootFs } });
    }),
  );
}

function volumeUsage({ volumes }: DiskUsageServices): Promise<unknown[]> {
  // What has options may lie elsewhere: it is not counted.
  const plain = volumes.list().filter(({ options }) => Object.keys(options ?? {}).length === 0);
  return Promise.all(
    plain.map(async (record) => {
      const usage = { sizeBytes: await volumes.usage(record), references: volumes.users(record.name).size };
      return toVolume(volumes, record, usage);
    }),
  );
}
