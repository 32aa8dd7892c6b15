import { constants, open, stat } from "node:fs/promises";
import { EngineError, messageOf } from "./errors.ts";

/** True for the failures that go away when space is made. */
export function isDiskFull(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code === "ENOSPC" || code === "EDQUOT";
}

/** The failure of a file as users read it: a full disk is theirs to solve, anything else is told as it is. `what` was not done. */
export function diskFailure(error: unknown, what?: string): EngineError {
  if (error instanceof EngineError) return error;
  if (isDiskFull(error)) return new EngineError("unavailable", "no space left on device", { cause: error });
  return new EngineError("internal", what === undefined ? messageOf(error) : `${what}: ${messageOf(error)}`, { cause: error });
}

/** For `catch`. @throws {EngineError} always, see `diskFailure` */
export function throwDiskFailure(error: unknown): never {
  throw diskFailure(error);
}

/** Bytes of a file; undefined when there is none. */
export async function sizeIfThere(path: string): Promise<number | undefined> {
  try {
    return (await stat(path)).size;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

/** What was written to a file is on the disk afterwards. */
export async function syncFile(path: string): Promise<void> {
  await using file = await open(path, "r+");
  await file.datasync();
}

/** A name is on disk only when its folder is. */
export async function syncFolder(folder: string): Promise<void> {
  await using handle = await open(folder, constants.O_RDONLY | constants.O_DIRECTORY);
  await handle.sync();
}
