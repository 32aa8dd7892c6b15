import type { TreeMount, TreeRequest } from "#drivers/archive/protocol.ts";
import { randomId } from "#lib/id.ts";
import { instancePaths } from "#lib/instance.ts";
import type { ContainerMount, ContainerRecord } from "#types/record/container.ts";
import type { ContainerDependencies } from "./dependencies.ts";
import { makeFolders } from "./monitor.ts";
import { attachMounts, needsAttaching } from "./mounts/attach.ts";
import { rootfsOptions } from "./rootfs.ts";
import { isRunning, wasStarted } from "./state.ts";
import { idMapOf } from "./user-namespace.ts";

export type ArchiveDependencies = Pick<
  ContainerDependencies,
  "attachSubpath" | "containers" | "detach" | "instance" | "settings" | "snapshots" | "volumes"
>;

/** What a container sees, ready to be looked at from outside, running or not. Dispose to give it back. */
export interface ContainerView extends AsyncDisposable {
  readonly tree: TreeRequest;
}

/** The root file system with volumes, binds and the daemon's files. */
export async function openView(deps: ArchiveDependencies, record: ContainerRecord): Promise<ContainerView> {
  await using undo = new AsyncDisposableStack();
  const { rootfs, ...mapped } = await openRootfs(deps, record, undo);
  const mounts: TreeMount[] = daemonFiles(deps, record);
  for (const mount of record.mounts) if (!needsAttaching(mount)) mounts.push(await openMount(deps, record, mount, undo));
  mounts.push(...(await openAttached(deps, record, undo)));
  mounts.sort((a, b) => depth(a.destination) - depth(b.destination));
  const { state } = record;
  const tree: TreeRequest = {
    ...mapped,
    rootfs,
    readOnly: record.hostConfig.ReadonlyRootfs === true,
    mounts,
    ...(isRunning(state) && { process: { pid: state.process.pid, startTicks: state.process.pidStartTicks } }),
  };
  return viewOf(tree, undo.move());
}

/** The root file system alone. */
export async function openRootView(deps: ArchiveDependencies, record: ContainerRecord): Promise<ContainerView> {
  await using undo = new AsyncDisposableStack();
  return viewOf({ ...(await openRootfs(deps, record, undo)), readOnly: false, mounts: [] }, undo.move());
}

function viewOf(tree: TreeRequest, held: AsyncDisposableStack): ContainerView {
  return { tree, [Symbol.asyncDispose]: () => held.disposeAsync() };
}

async function openRootfs(
  deps: ArchiveDependencies,
  record: ContainerRecord,
  undo: AsyncDisposableStack,
): Promise<Pick<TreeRequest, "rootfs" | "idMap">> {
  const options = rootfsOptions(deps, record);
  undo.use(
    await deps.snapshots.borrow(options, async () => {
      deps.containers.get(record.id); // removed meanwhile: its folders must not come into being again
      await makeFolders(deps, record.id);
    }),
  );
  return { rootfs: options.target, ...(options.idMap && { idMap: options.idMap }) };
}

async function openMount(
  deps: ArchiveDependencies,
  record: ContainerRecord,
  mount: ContainerMount,
  undo: AsyncDisposableStack,
): Promise<TreeMount> {
  const { destination, writable, name } = mount;
  const common = { destination, writable, recursive: !mount.nonRecursive, readOnlyRecursive: mount.readOnlyRecursive !== "off" };
  if (mount.type === "tmpfs") return { ...common, source: undefined };
  if (mount.type !== "volume" || name === undefined) return { ...common, source: mount.source };
  const source = await deps.volumes.mount(name, record.id, mount);
  undo.defer(() => deps.volumes.unmount(name, record.id));
  // A new volume has what the image has there, from its first use on.
  const { rootfs } = instancePaths(deps.instance).container(record.id);
  if (!wasStarted(record.state) && !mount.noCopy) await deps.volumes.populate(name, rootfs, destination);
  return { ...common, source };
}

/** Images and parts of volumes: of a container that runs those it has, else what the next start would attach. */
async function openAttached(deps: ArchiveDependencies, record: ContainerRecord, undo: AsyncDisposableStack): Promise<TreeMount[]> {
  const wanted = record.mounts.filter(needsAttaching);
  if (wanted.length === 0) return [];
  const common = { recursive: true, readOnlyRecursive: true };
  if (isRunning(record.state)) return wanted.map(({ destination, writable }) => ({ ...common, destination, writable, source: undefined }));
  for (const { name, ...place } of wanted) {
    if (name === undefined) continue;
    await deps.volumes.mount(name, record.id, place);
    undo.defer(() => deps.volumes.unmount(name, record.id));
  }
  // Not the place of a start, which may come meanwhile.
  const folder = instancePaths(deps.instance).container(randomId()).mounts;
  const attached = undo.use(await attachMounts(deps, folder, wanted, idMapOf(deps, record)));
  return attached.mounts.map(({ destination, writable, source }) => ({ ...common, destination, writable, source }));
}

/** Those of the last run; before the first there are none. */
function daemonFiles(deps: ArchiveDependencies, record: ContainerRecord): TreeMount[] {
  const { hosts, hostname, resolvConf } = instancePaths(deps.instance).container(record.id);
  const files: readonly (readonly [string, string])[] = [
    ["/etc/hosts", hosts],
    ["/etc/hostname", hostname],
    ["/etc/resolv.conf", resolvConf],
  ];
  const taken = new Set(record.mounts.map(({ destination }) => destination));
  return files
    .filter(([destination]) => !taken.has(destination))
    .map(([destination, source]) => ({
      destination,
      source,
      writable: record.hostConfig.ReadonlyRootfs !== true,
      recursive: false,
      readOnlyRecursive: false,
      optional: true,
    }));
}

function depth(path: string): number {
  return path.split("/").filter(Boolean).length;
}
