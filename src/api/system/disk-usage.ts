import type { ContainerService } from "#engine/container/service.ts";
import type { ImageService } from "#engine/image/service.ts";
import type { NetworkService } from "#engine/network/service.ts";
import type { VolumeService } from "#engine/volume/service.ts";
import { systemClock } from "#lib/clock.ts";
import { EngineError } from "#lib/errors.ts";
import { toSummary } from "../container/summary.ts";
import type { ApiRequest } from "../http/request.ts";
import { json, type ApiResponse } from "../http/response.ts";
import { toImageSummary } from "../image/summary.ts";
import { toVolume } from "../volume/routes.ts";

export interface DiskUsageServices {
  readonly containers: ContainerService;
  readonly images: ImageService;
  readonly networks: NetworkService;
  readonly volumes: VolumeService;
}

const types = ["container", "image", "volume", "build-cache"];

/** Source: Engine API, SystemDataUsage. */
export async function diskUsage(services: DiskUsageServices, { query }: ApiRequest): Promise<ApiResponse> {
  const { containers, images, networks, volumes } = services;
  const asked = query.getAll("type");
  for (const type of asked) if (!types.includes(type)) throw new EngineError("invalid", `unknown object type: ${type}`);
  const wants = (type: string): boolean => asked.length === 0 || asked.includes(type);
  const records = containers.list();
  const now = systemClock.nowNano();
  const sharers = new Map<string, number>();
  for (const image of images.list()) for (const layer of image.layers) sharers.set(layer.chainId, (sharers.get(layer.chainId) ?? 0) + 1);
  const layersSize = new Map(images.list().flatMap((image) => image.layers.map((layer) => [layer.chainId, layer.sizeBytes] as const)));
  return json(200, {
    ...(wants("image") && {
      LayersSize: [...layersSize.values()].reduce((sum, size) => sum + size, 0),
      Images: images.list().map((image) => {
        const shared = image.layers
          .filter((layer) => (sharers.get(layer.chainId) ?? 0) > 1)
          .reduce((sum, layer) => sum + layer.sizeBytes, 0);
        return toImageSummary(images, image, {
          containers: records.filter((record) => record.imageId === image.id).length,
          sharedBytes: shared,
        });
      }),
    }),
    ...(wants("container") && {
      Containers: await Promise.all(
        records.map(async (record) => {
          const { sizeBytes } = await containers.size(record.id);
          return toSummary(record, networks, now, record.config.Image ?? "", {
            rw: sizeBytes,
            rootFs: sizeBytes + (images.peek(record.imageId)?.sizeBytes ?? 0),
          });
        }),
      ),
    }),
    ...(wants("volume") && {
      Volumes: await Promise.all(
        volumes
          .list()
          .map(async (record) =>
            toVolume(volumes, record, { sizeBytes: await volumes.usage(record), references: volumes.users(record.name).size }),
          ),
      ),
    }),
    ...(wants("build-cache") && { BuildCache: [] }),
  });
}
