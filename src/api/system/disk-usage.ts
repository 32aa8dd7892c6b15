import type { ContainerService } from "#engine/container/service.ts";
import { isRunning } from "#engine/container/state.ts";
import { imageDiskUse, type DiskUseDependencies } from "#engine/image/disk-use.ts";
import type { ImageService } from "#engine/image/service.ts";
import type { NetworkService } from "#engine/network/service.ts";
import type { VolumeService } from "#engine/volume/service.ts";
import { systemClock } from "#lib/clock.ts";
import { EngineError } from "#lib/errors.ts";
import type { ContainerRecord } from "#types/record/container.ts";
import { toSummary } from "../container/summary.ts";
import { queryBoolean } from "../decode/query.ts";
import type { ApiRequest } from "../http/request.ts";
import { json, type ApiResponse } from "../http/response.ts";
import { apiVersionOf, type ApiVersion } from "../http/version.ts";
import { referencesOf, shownReferences, toImageSummary } from "../image/summary.ts";
import { toVolume } from "../volume/routes.ts";

export interface DiskUsageServices {
  readonly containers: ContainerService;
  readonly images: ImageService;
  readonly networks: NetworkService;
  readonly volumes: VolumeService;
  /** Has the stores where images lie. */
  readonly pull: DiskUseDependencies;
}

/** Of one kind of object. Source: Engine API, ImagesDiskUsage and its like. */
interface Usage {
  readonly activeCount: number;
  readonly totalBytes: number;
  readonly reclaimableBytes: number;
  readonly items: readonly unknown[];
}

const types = ["container", "image", "volume", "build-cache"];

/**
 * All sizes are blocks on the disk, as `du` counts them. Lists that were not asked for are null. From 1.52 on the answer has sums for each
 * kind besides, which say more than a client can work out of the lists: what used images share with each other is not reclaimable.
 * Source: Engine API, SystemDataUsage.
 */
export async function diskUsage(services: DiskUsageServices, { query, apiVersion }: ApiRequest): Promise<ApiResponse> {
  const asked = query.getAll("type");
  for (const type of asked) if (!types.includes(type)) throw new EngineError("invalid", `unknown object type: ${type}`);
  const wants = (type: string): boolean => asked.length === 0 || asked.includes(type);
  const [images, containers, volumes] = await Promise.all([
    wants("image") ? imageUsage(services, apiVersion) : undefined,
    wants("container") ? containerUsage(services) : undefined,
    wants("volume") ? volumeUsage(services) : undefined,
  ]);
  const caches = wants("build-cache") ? noBuildCache : undefined;
  const isVerbose = queryBoolean(query, "verbose");
  return json(200, {
    LayersSize: images?.totalBytes ?? 0,
    Images: images?.items ?? null,
    Containers: containers?.items ?? null,
    Volumes: volumes?.items ?? null,
    BuildCache: caches?.items ?? null,
    ...(apiVersion >= apiVersionOf(1, 52) && {
      ...(images && { ImageUsage: toUsage(images, isVerbose) }),
      ...(containers && { ContainerUsage: toUsage(containers, isVerbose) }),
      ...(volumes && { VolumeUsage: toUsage(volumes, isVerbose) }),
      ...(caches && { BuildCacheUsage: toUsage(caches, isVerbose) }),
    }),
  });
}

const noBuildCache: Usage = { activeCount: 0, totalBytes: 0, reclaimableBytes: 0, items: [] };

function toUsage({ activeCount, totalBytes, reclaimableBytes, items }: Usage, isVerbose: boolean): unknown {
  return {
    ActiveCount: activeCount,
    TotalCount: items.length,
    Reclaimable: reclaimableBytes,
    TotalSize: totalBytes,
    ...(isVerbose && items.length > 0 && { Items: items }),
  };
}

async function imageUsage({ images, containers, pull }: DiskUsageServices, apiVersion: ApiVersion): Promise<Usage> {
  const users = containers.list();
  const mounted = users.flatMap(({ mounts }) => mounts.flatMap(({ image }) => image ?? []));
  const use = await imageDiskUse(pull, {
    imageIds: new Set([...users.map(({ imageId }) => imageId), ...mounted.map(({ id }) => id)]),
    layers: [...users, ...mounted].map(({ layers }) => layers),
  });
  const items = images.list().flatMap((image) => {
    const sizes = use.images.get(image.id);
    if (!sizes) return []; // an image that is only a step of others, or has come meanwhile
    const counts = { containers: users.filter(({ imageId }) => imageId === image.id).length, sharedBytes: sizes.sharedBytes };
    const names = shownReferences(referencesOf(images, image.id));
    return toImageSummary(images, { ...image, sizeBytes: sizes.sizeBytes }, names, counts, apiVersion);
  });
  return {
    activeCount: items.filter(({ Containers }) => Containers > 0).length,
    totalBytes: use.totalBytes,
    reclaimableBytes: use.reclaimableBytes,
    items,
  };
}

async function containerUsage(services: DiskUsageServices): Promise<Usage> {
  const now = systemClock.nowNano();
  const records = services.containers.list();
  const measured = await Promise.all(
    records.map(async (record) => ({ record, rw: (await services.containers.size(record.id)).allocatedBytes })),
  );
  const toItem = ({ record, rw }: (typeof measured)[number]): unknown => {
    const rootFs = rw + (services.images.peek(record.imageId)?.sizeBytes ?? 0);
    return toSummary(record, services, { now, imageName: record.config.Image ?? "", size: { rw, rootFs } });
  };
  const bytesOf = (some: typeof measured): number => some.reduce((sum, { rw }) => sum + rw, 0);
  const idle = measured.filter(({ record }) => !isActive(record));
  return {
    activeCount: measured.length - idle.length,
    totalBytes: bytesOf(measured),
    reclaimableBytes: bytesOf(idle),
    items: measured.map(toItem),
  };
}

const isActive = ({ state }: ContainerRecord): boolean => isRunning(state) || state.status === "restarting";

async function volumeUsage({ volumes }: DiskUsageServices): Promise<Usage> {
  // What has options may lie elsewhere: it is not counted.
  const plain = volumes.list().filter(({ options }) => Object.keys(options ?? {}).length === 0);
  const measured = await Promise.all(
    plain.map(async (record) => ({ record, sizeBytes: await volumes.usage(record), references: volumes.users(record.name).size })),
  );
  const bytesOf = (some: typeof measured): number => some.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  const unused = measured.filter(({ references }) => references === 0);
  return {
    activeCount: measured.length - unused.length,
    totalBytes: bytesOf(measured),
    reclaimableBytes: bytesOf(unused),
    items: measured.map(({ record, sizeBytes, references }) => toVolume(volumes, record, { sizeBytes, references })),
  };
}
