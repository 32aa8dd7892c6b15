import { instancePaths } from "#lib/instance.ts";
import type { ContainerRecord } from "#types/record/container.ts";
import type { ContainerDependencies } from "../dependencies.ts";
import { sharedOwner } from "../shared-mode.ts";
import { isRunning } from "../state.ts";

/**
 * The /dev/shm of the container whose shared memory this one has, with a path that a runtime can bind: it is mounted nowhere but in there.
 * Undefined when it has one of its own, and when the other does not run, which is told by who needs it. Dispose when the runtime has bound it.
 */
export async function attachSharedMemory(
  deps: Pick<ContainerDependencies, "attachOfProcess" | "containers" | "detach" | "instance">,
  { id, hostConfig }: ContainerRecord,
): Promise<(AsyncDisposable & { readonly path: string }) | undefined> {
  const owner = sharedOwner(hostConfig.IpcMode ?? "");
  const state = owner === undefined ? undefined : deps.containers.lookup(owner)?.state;
  if (!state || !isRunning(state)) return undefined;
  await using undo = new AsyncDisposableStack();
  const holder = `${instancePaths(deps.instance).container(id).mounts}-shm`;
  const path = `${holder}/shm`;
  undo.defer(() => deps.detach(holder));
  undo.defer(() => deps.detach(path));
  await deps.attachOfProcess(state.process, "/dev/shm", path);
  const held = undo.move();
  return { path, [Symbol.asyncDispose]: () => held.disposeAsync() };
}
