import { minimumDiskBytes, needDiskPrograms, promiseWarning, sizeOption } from "#drivers/snapshot/sized-disk.ts";
import { EngineError, messageOf } from "#lib/errors.ts";
import type { HostConfig } from "#types/engine-api/index.ts";

/** `--storage-opt size=…` of a container; 0: no limit. */
export function sizeLimitBytes(host: Pick<HostConfig, "StorageOpt">): number {
  return sizeOption(host.StorageOpt);
}

/**
 * @returns warnings
 * @throws {EngineError} `invalid` for an option that is none, a size that is none, and a host that cannot limit it
 */
export function validateStorageOptions(host: Pick<HostConfig, "StorageOpt">, dataRoot: string): readonly string[] {
  const unknown = Object.keys(host.StorageOpt ?? {}).find((name) => name.toLowerCase() !== "size");
  if (unknown !== undefined) throw new EngineError("invalid", `Unknown option ${unknown}`);
  let sizeBytes: number;
  try {
    sizeBytes = sizeLimitBytes(host);
  } catch (error) {
    throw new EngineError("invalid", messageOf(error), { cause: error });
  }
  if (sizeBytes === 0) return [];
  if (sizeBytes < minimumDiskBytes) throw new EngineError("invalid", `Minimum size of a container is ${minimumDiskBytes >> 20}MB`);
  needDiskPrograms();
  const warning = promiseWarning(sizeBytes, dataRoot);
  return warning === undefined ? [] : [warning];
}
