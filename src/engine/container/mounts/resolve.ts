import { stat } from "node:fs/promises";
import { EngineError } from "#lib/errors.ts";
import type { ContainerMount } from "#types/record/container.ts";
import type { ImageService } from "../../image/service.ts";
import type { VolumeService } from "../../volume/service.ts";
import type { WantedMount } from "./wanted.ts";

export interface MountServices {
  readonly volumes: VolumeService;
  readonly images: Pick<ImageService, "resolveForRun">;
}

/** Makes the volumes that are named, finds images, checks sources, and gives the mounts their paths. */
export async function resolveMounts(
  wanted: readonly WantedMount[],
  services: MountServices,
  createBindSource: (path: string) => Promise<void>,
): Promise<ContainerMount[]> {
  const resolved: ContainerMount[] = [];
  for (const mount of wanted) {
    const { volumeOptions: _options, volumeLabels: _labels, createSource, ...plain } = mount;
    if (mount.type === "volume") resolved.push({ ...plain, ...(await makeVolume(services.volumes, mount)) });
    else if (mount.type === "image") resolved.push({ ...plain, image: findImage(services, mount.source) });
    else {
      if (mount.type === "bind" && !(await exists(mount.source))) {
        if (!createSource) throw missingSource(mount.source);
        await createBindSource(mount.source);
      }
      resolved.push(plain);
    }
  }
  return resolved;
}

async function makeVolume(
  volumes: VolumeService,
  mount: WantedMount,
): Promise<Pick<ContainerMount, "driver" | "source"> & { name: string }> {
  const record = await volumes.create({
    ...(mount.name !== undefined && { name: mount.name }),
    ...(mount.driver !== undefined && { driver: mount.driver }),
    ...(mount.volumeOptions && { options: mount.volumeOptions }),
    ...(mount.volumeLabels && { labels: mount.volumeLabels }),
    anonymous: mount.anonymous,
  });
  return { name: record.name, driver: record.driver, source: volumes.path(record) };
}

function findImage({ images }: MountServices, name: string): NonNullable<ContainerMount["image"]> {
  const { id, diffIds } = images.resolveForRun(name, undefined);
  return { name, id, layers: diffIds };
}

function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

function missingSource(path: string): EngineError {
  return new EngineError("invalid", `invalid mount config for type "bind": bind source path does not exist: ${path}`);
}
