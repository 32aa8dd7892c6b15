import { minimumDiskBytes, needDiskPrograms, promiseWarning, sizeOption } from "#drivers/snapshot/sized-disk.ts";
import { EngineError, messageOf } from "#lib/errors.ts";
import { instancePaths } from "#lib/instance.ts";
import type { HostConfig } from "#types/engine-api/index.ts";
import type { ContainerMount, ContainerRecord } from "#types/record/container.ts";
import type { ProjectQuota } from "#types/record/project-quota.ts";
import type { ContainerDependencies } from "./dependencies.ts";

type SizeDependencies = Pick<ContainerDependencies, "instance" | "quotas" | "settings">;

/** `--storage-opt size=…` of a container; undefined: nothing is said, 0: no limit. */
export function requestedSizeBytes(host: Pick<HostConfig, "StorageOpt">): number | undefined {
  return sizeOption(host.StorageOpt);
}

/** Whether what a container writes has a limit of its own, and by what. */
export function sizeLimitOf({ projectQuota, hostConfig }: Pick<ContainerRecord, "projectQuota" | "hostConfig">): "quota" | "disk" | "none" {
  if (projectQuota) return "quota";
  return requestedSizeBytes(hostConfig) ? "disk" : "none";
}

/** Whether it can write where a project limits it, in its own files or in a volume: also one that is bound by its path. */
export function writesToProject(
  { instance, volumes }: Pick<ContainerDependencies, "instance" | "volumes">,
  { projectQuota, mounts }: Pick<ContainerRecord, "projectQuota" | "mounts">,
): boolean {
  const root = `${instancePaths(instance).volumes}/`;
  const volumeOf = ({ type, name, source }: ContainerMount): string => {
    if (type === "volume") return name ?? "";
    return source.startsWith(root) ? (source.slice(root.length).split("/")[0] ?? "") : "";
  };
  return projectQuota !== undefined || mounts.some((mount) => mount.writable && volumes.isLimited(volumeOf(mount)));
}

/**
 * @returns warnings
 * @throws {EngineError} `invalid` for an option that is none, a size that is none, and a host that cannot limit it
 */
export function validateStorageOptions(deps: SizeDependencies, host: Pick<HostConfig, "StorageOpt">): readonly string[] {
  const unknown = Object.keys(host.StorageOpt ?? {}).find((name) => name.toLowerCase() !== "size");
  if (unknown !== undefined) throw new EngineError("invalid", `Unknown option ${unknown}`);
  let sizeBytes: number;
  try {
    sizeBytes = requestedSizeBytes(host) ?? 0;
  } catch (error) {
    throw new EngineError("invalid", messageOf(error), { cause: error });
  }
  if (sizeBytes === 0 || deps.quotas.lack === undefined) return [];
  if (sizeBytes < minimumDiskBytes) throw new EngineError("invalid", `Minimum size of a container is ${minimumDiskBytes >> 20}MB`);
  needDiskPrograms();
  const warning = promiseWarning(sizeBytes, deps.instance.dataRoot);
  return warning === undefined ? [] : [warning];
}

/** The project of a container that is to have one: decided once, at create. The caller gives it back when there will be no such container. */
export async function allotQuota(deps: SizeDependencies, host: Pick<HostConfig, "StorageOpt">): Promise<ProjectQuota | undefined> {
  const sizeBytes = requestedSizeBytes(host) ?? deps.settings.defaultSizeBytes;
  if (sizeBytes === 0 || deps.quotas.lack !== undefined) return undefined;
  return { id: await deps.quotas.allot(), sizeBytes };
}
