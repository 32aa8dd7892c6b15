import { readlinkSync } from "node:fs";
import { chmod, chown, mkdir } from "node:fs/promises";
import { dirname } from "node:path";
import { joinUserNamespace, makeUserNamespace, shareUserNamespace, type UserNamespace } from "#drivers/runtime/user-namespace.ts";
import { EngineError } from "#lib/errors.ts";
import { mappedRoot } from "#lib/id-map.ts";
import { instancePaths } from "#lib/instance.ts";
import type { HostConfig } from "#types/engine-api/index.ts";
import type { ContainerRecord } from "#types/record/container.ts";
import type { IdMap } from "#types/record/id-map.ts";
import type { ContainerDependencies } from "./dependencies.ts";
import { sharedOwner } from "./shared-mode.ts";
import { isRunning } from "./state.ts";

type Dependencies = Pick<ContainerDependencies, "containers" | "settings">;

/**
 * What a container with a user namespace cannot have. `--userns=host` has no namespace, and no such limits.
 * @throws {EngineError} `invalid` with Docker's texts
 */
export function refuseUserNamespaceConflicts(host: HostConfig, isRemapped: boolean): void {
  if (!isRemapped || host.UsernsMode === "host") return;
  const privileged =
    "privileged mode is incompatible with user namespaces.  You must run the container in the host namespace when running privileged mode";
  if (host.Privileged) throw new EngineError("invalid", privileged);
  const shared = "when user namespaces are enabled";
  if (host.NetworkMode === "host") throw new EngineError("invalid", `cannot share the host's network namespace ${shared}`);
  if (host.PidMode === "host") throw new EngineError("invalid", `cannot share the host PID namespace ${shared}`);
}

/**
 * Ids of the host that a container's files and processes have: those of its run, else of the one that a start would begin now.
 * Undefined: its ids are the host's.
 */
export function idMapOf(deps: Dependencies, record: ContainerRecord): IdMap | undefined {
  if (isRunning(record.state)) return record.idMap ?? undefined;
  if (!wantsUserNamespace(deps, record)) return undefined;
  // A daemon before may have had another map, and who runs since then keeps it.
  return namespaceOwners(deps, record)[0]?.idMap ?? deps.settings.idMap;
}

/** The user namespace of one start, or that of the container whose other namespaces it shares. */
export interface StartNamespace extends Disposable {
  readonly map: IdMap;
  readonly namespace: UserNamespace;
}

/**
 * Undefined: the host's.
 * @throws {EngineError} `conflict` for a container whose namespaces belong to another user namespace than this one would have
 */
export async function openUserNamespace(deps: Dependencies, record: ContainerRecord): Promise<StartNamespace | undefined> {
  const map = idMapOf(deps, record);
  if (map === undefined) {
    if (wantsUserNamespace(deps, record)) refuseHostOwner(deps, record);
    return undefined;
  }
  refuseHostOwner(deps, record);
  const [path, ...others] = namespaceOwners(deps, record).map(userNamespacePath);
  const namespace = await openNamespace(record, map, path, others);
  return { map, namespace, [Symbol.dispose]: () => namespace[Symbol.dispose]() };
}

async function openNamespace(
  { hostConfig }: ContainerRecord,
  map: IdMap,
  path: string | undefined,
  others: readonly string[],
): Promise<UserNamespace> {
  if (path === undefined) return makeUserNamespace(map);
  // Who is in one of them has no rights in the others.
  if (others.some((other) => readlinkSync(other) !== readlinkSync(path)))
    throw new EngineError("conflict", "the containers whose namespaces are to be shared have different user namespaces");
  const hasOwnNetwork = sharedOwner(hostConfig.NetworkMode ?? "") === undefined;
  return hasOwnNetwork ? await shareUserNamespace(path) : joinUserNamespace(path);
}

function wantsUserNamespace({ settings }: Dependencies, { hostConfig }: ContainerRecord): boolean {
  return settings.idMap !== undefined && hostConfig.UsernsMode !== "host";
}

/** Running containers whose network, processes or shared memory this one has. That one does not run is told by who needs it. */
function namespaceOwners({ containers }: Dependencies, { hostConfig }: ContainerRecord): RunningRecord[] {
  return [hostConfig.NetworkMode, hostConfig.IpcMode, hostConfig.PidMode].flatMap((mode) => {
    const owner = containers.lookup(sharedOwner(mode ?? "") ?? "");
    return owner && isRunningRecord(owner) ? [owner] : [];
  });
}

type RunningRecord = ContainerRecord & { readonly state: { readonly process: { readonly pid: number } } };

function isRunningRecord(record: ContainerRecord): record is RunningRecord {
  return isRunning(record.state);
}

/** A user namespace gives no rights in what belongs to the host's. */
function refuseHostOwner(deps: Dependencies, record: ContainerRecord): void {
  const owner = namespaceOwners(deps, record).find(({ idMap }) => !idMap);
  if (!owner) return;
  const text = `container ${owner.name}, whose namespaces are to be shared, has no user namespace: start this one with --userns=host`;
  throw new EngineError("conflict", text);
}

function userNamespacePath({ state }: RunningRecord): string {
  return `/proc/${state.process.pid}/ns/user`;
}

/**
 * Attaches the root file system where the container's root may look it up, as runtimes do: the data root is closed to it, and stays so, since
 * what lies there has the container's own ids, set-user-ID programs of its root among them. Dispose when the container has been made: an empty
 * folder is left.
 */
export async function attachRootfs(
  deps: Pick<ContainerDependencies, "attachSubpath" | "detach" | "instance">,
  id: string,
  map: IdMap,
): Promise<AsyncDisposable & { readonly path: string }> {
  const { container, roots } = instancePaths(deps.instance);
  const { root, rootfs } = container(id);
  await mkdir(roots, { recursive: true, mode: 0o711 });
  await mkdir(dirname(root), { recursive: true, mode: 0o700 });
  await chown(dirname(root), 0, mappedRoot(map).gid);
  await chmod(dirname(root), 0o710);
  await deps.detach(root);
  await deps.attachSubpath(rootfs, ".", root);
  return {
    path: root,
    [Symbol.asyncDispose]: async () => {
      await deps.detach(root);
      await keepRootFolder(deps, id);
    },
  };
}

/** runc stands there when it begins an exec: the folder has to be there as long as the container runs. */
export async function keepRootFolder(deps: Pick<ContainerDependencies, "instance">, id: string): Promise<void> {
  await mkdir(instancePaths(deps.instance).container(id).root, { recursive: true, mode: 0o700 });
}

/** When the container has ended, or was not made. */
export async function removeRootFolder(deps: Pick<ContainerDependencies, "detach" | "instance">, id: string): Promise<void> {
  const { root } = instancePaths(deps.instance).container(id);
  await deps.detach(root);
  await deps.detach(dirname(root));
}
