import type { StorageDriver } from "#drivers/snapshot/storage-driver.ts";
import { EngineError, messageOf } from "#lib/errors.ts";
import { parseMemoryBytes } from "#lib/memory-size.ts";

export interface StorageOptions {
  /** Of what a container writes; 0: no limit. */
  readonly sizeBytes: number;
}

/** `--storage-opt`, as dockerd's drivers overlay2 and vfs read them. @throws {EngineError} `invalid` with their texts */
export function parseStorageOptions(options: readonly string[], driver?: StorageDriver): StorageOptions {
  let sizeBytes = 0;
  for (const option of options) {
    const at = option.indexOf("=");
    if (at < 0) throw new EngineError("invalid", `unable to parse storage-opt key/value: ${option}`);
    checkKey(option.slice(0, at).trim(), driver);
    sizeBytes = parseSize(option.slice(at + 1).trim());
  }
  return { sizeBytes };
}

function checkKey(key: string, driver: StorageDriver | undefined): void {
  if (driver === "vfs" && key !== "size") throw new EngineError("invalid", `unknown option ${key} for vfs`);
  if (driver !== "vfs" && key.toLowerCase() !== "overlay2.size")
    throw new EngineError("invalid", `overlay2: unknown option ${key.toLowerCase()}`);
}

/**
 * The limit of containers that say nothing of one.
 * @param lack  why the data root has no project quotas
 * @throws {EngineError} `invalid` with dockerd's text where there are none: it is a limit of all containers, and of nobody's choice
 */
export function defaultContainerBytes(options: readonly string[], lack: string | undefined, driver?: StorageDriver): number {
  const { sizeBytes } = parseStorageOptions(options, driver);
  if (sizeBytes === 0 || lack === undefined) return sizeBytes;
  const refusal =
    driver === "vfs"
      ? "failed to set option size for vfs: Filesystem does not support, or has not enabled quotas"
      : "Storage option overlay2.size not supported. Filesystem does not support Project Quota";
  throw new EngineError("invalid", `${refusal}: ${lack}`);
}

function parseSize(text: string): number {
  try {
    return parseMemoryBytes(text);
  } catch (error) {
    throw new EngineError("invalid", messageOf(error), { cause: error });
  }
}
