import { mkdir, open, readdir, rename, rmdir, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { syncFolder } from "#lib/disk.ts";
import { EngineError } from "#lib/errors.ts";
import { instancePaths } from "#lib/instance.ts";
import type { ContainerRecord } from "#types/record/container.ts";
import type { ContainerDependencies } from "../dependencies.ts";
import { runtimeOf } from "../start.ts";
import { fileErrorText } from "./file-error.ts";
import { checkpointsFolder, type CheckpointName } from "./place.ts";

/**
 * Writes down what a frozen container is at. The checkpoint gets its name when all of it is on the disk; the record tells until then
 * what a daemon that dies leaves behind.
 * @throws {CheckpointFailure} with criu's reason, or what the disk has said; nothing is left of it then
 */
export async function writeCheckpoint(deps: ContainerDependencies, record: ContainerRecord, name: CheckpointName): Promise<void> {
  const { id } = record;
  const folder = checkpointsFolder(deps, record, name.directory);
  const target = `${folder}/${name.checkpoint}`;
  const unfinished = `${folder}/.${name.checkpoint}.unfinished`;
  await deps.containers.update(id, (now) => ({ ...now, unfinishedCheckpoint: unfinished }));
  await using undo = new AsyncDisposableStack();
  undo.defer(() => forgetUnfinished(deps, id));
  const firstMade = await mkdir(folder, { recursive: true, mode: 0o700 });
  undo.defer(() => (firstMade === undefined ? undefined : removeEmptyFolders(folder, firstMade)));
  await deps.removeTree(unfinished);
  await mkdir(unfinished, { mode: 0o700 });
  undo.defer(() => deps.removeTree(unfinished));
  await runtimeOf(deps, record).checkpoint({ id, bundle: instancePaths(deps.instance).container(id).bundle, imageFolder: unfinished });
  await syncTree(unfinished);
  await rename(unfinished, target);
  await syncFolder(folder);
}

/** @throws {EngineError} `conflict` with Docker's text */
export async function refuseTaken(
  deps: Pick<ContainerDependencies, "instance">,
  record: ContainerRecord,
  { checkpoint, directory }: CheckpointName,
  shownName: string,
): Promise<void> {
  const target = `${checkpointsFolder(deps, record, directory)}/${checkpoint}`;
  const found = await stat(target).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw new EngineError("internal", `cannot checkpoint container ${shownName}: ${fileErrorText(error)}`, { cause: error });
  });
  if (found === undefined) return;
  const reason = found.isDirectory()
    ? `checkpoint with name ${checkpoint} already exists for container ${shownName}`
    : `${target} exists and is not a directory`;
  throw new EngineError("conflict", `cannot checkpoint container ${shownName}: ${reason}`);
}

/** What a daemon that died has not finished. */
export async function removeUnfinished(deps: ContainerDependencies, { id, unfinishedCheckpoint }: ContainerRecord): Promise<void> {
  if (unfinishedCheckpoint !== undefined) await deps.removeTree(unfinishedCheckpoint);
  await forgetUnfinished(deps, id);
}

async function forgetUnfinished(deps: ContainerDependencies, id: string): Promise<void> {
  const record = deps.containers.peek(id);
  if (!record) return; // removed meanwhile
  const { unfinishedCheckpoint: _gone, ...rest } = record;
  await deps.store.observe((transaction) => transaction.put("container", id, rest));
}

/** Takes away folders that are empty, from the innermost to the first that was made. */
async function removeEmptyFolders(innermost: string, firstMade: string): Promise<void> {
  for (let folder = innermost; folder.startsWith(firstMade); folder = dirname(folder)) {
    try {
      await rmdir(folder);
    } catch {
      return; // something is in it
    }
  }
}

/** Has everything in a folder on the disk, so that a power cut leaves no checkpoint that is there by half. */
async function syncTree(folder: string): Promise<void> {
  for (const name of await readdir(folder)) await syncEntry(`${folder}/${name}`);
  await syncEntry(folder);
}

async function syncEntry(path: string): Promise<void> {
  await using handle = await open(path);
  await handle.sync();
}
