import { stat } from "node:fs/promises";
import { EngineError } from "#lib/errors.ts";
import { instancePaths } from "#lib/instance.ts";
import type { ContainerRecord } from "#types/record/container.ts";
import type { ContainerDependencies } from "../dependencies.ts";

const namePattern = /^[a-zA-Z0-9][a-zA-Z0-9_.-]+$/;

/** A checkpoint of a container, by its name. */
export interface CheckpointName {
  readonly checkpoint: string;
  /** Folder of the host that holds checkpoints of several containers; empty: the container's own, which goes with it. */
  readonly directory: string;
}

/** @throws {EngineError} `invalid` with Docker's text */
export function checkCheckpointName(text: string): void {
  if (namePattern.test(text)) return;
  throw new EngineError("invalid", `Invalid checkpoint ID (${text}), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed`);
}

/**
 * The folder with a container's checkpoints, each of which is a folder.
 * @throws {EngineError} `invalid` for a path that is relative: to what, only the daemon could say
 */
export function checkpointsFolder(
  { instance }: Pick<ContainerDependencies, "instance">,
  { id }: ContainerRecord,
  directory: string,
): string {
  if (directory === "") return instancePaths(instance).container(id).checkpoints;
  if (!directory.startsWith("/"))
    throw new EngineError("invalid", `invalid checkpoint directory ${directory}: it must be an absolute path`);
  return `${directory.replace(/\/+$/, "")}/${id}/checkpoints`;
}

/**
 * Folder of a checkpoint that is there.
 * @param shownName  what the container is called in the message
 * @throws {EngineError} `not_found` with Docker's text
 */
export async function findCheckpoint(
  deps: Pick<ContainerDependencies, "instance">,
  record: ContainerRecord,
  { checkpoint, directory }: CheckpointName,
  shownName: string,
): Promise<string> {
  const folder = `${checkpointsFolder(deps, record, directory)}/${checkpoint}`;
  // Nothing outside the folder, and nothing that is still being written, has such a name.
  if (namePattern.test(checkpoint) && (await isFolder(folder))) return folder;
  throw new EngineError("not_found", `checkpoint ${checkpoint} does not exist for container ${shownName}`);
}

export async function isFolder(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
}
