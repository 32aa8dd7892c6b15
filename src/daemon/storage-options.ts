import { EngineError, messageOf } from "#lib/errors.ts";
import { parseMemoryBytes } from "#lib/memory-size.ts";

export interface StorageOptions {
  /** Of what a container writes; 0: no limit. */
  readonly sizeBytes: number;
}

/** `--storage-opt`, as dockerd's driver overlay2 reads them. @throws {EngineError} `invalid` with its texts */
export function parseStorageOptions(options: readonly string[]): StorageOptions {
  let sizeBytes = 0;
  for (const option of options) {
    const at = option.indexOf("=");
    if (at < 0) throw new EngineError("invalid", `unable to parse storage-opt key/value: ${option}`);
    const key = option.slice(0, at).trim().toLowerCase();
    if (key !== "overlay2.size") throw new EngineError("invalid", `overlay2: unknown option ${key}`);
    sizeBytes = parseSize(option.slice(at + 1).trim());
  }
  return { sizeBytes };
}

/**
 * The limit of containers that say nothing of one.
 * @param lack  why the data root has no project quotas
 * @throws {EngineError} `invalid` with dockerd's text where there are none: it is a limit of all containers, and of nobody's choice
 */
export function defaultContainerBytes(options: readonly string[], lack: string | undefined): number {
  const { sizeBytes } = parseStorageOptions(options);
  if (sizeBytes > 0 && lack !== undefined)
    throw new EngineError("invalid", `Storage option overlay2.size not supported. Filesystem does not support Project Quota: ${lack}`);
  return sizeBytes;
}

function parseSize(text: string): number {
  try {
    return parseMemoryBytes(text);
  } catch (error) {
    throw new EngineError("invalid", messageOf(error), { cause: error });
  }
}
