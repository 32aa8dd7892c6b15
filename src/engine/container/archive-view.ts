import type { TreeMount, TreeRequest } from "#drivers/archive/protocol.ts";
import { parseDigest } from "#lib/digest.ts";
import { instancePaths } from "#lib/instance.ts";
import type { ContainerMount, ContainerRecord } from "#types/record/container.ts";
import type { ContainerDependencies } from "./dependencies.ts";
import { makeFolders } from "./monitor.ts";
import { isRunning, wasStarted } from "./state.ts";

export type ArchiveDependencies = Pick<ContainerDependencies, "containers" | "instance" | "snapshots" | "volumes">;

/** What a container sees, ready to be looked at from outside, running or not. Dispose to give it back. */
export interface ContainerView extends AsyncDisposable {
  readonly tree: TreeRequest;
}

/** The root file system with volumes, binds and the daemon's files. */
export async function openView(deps: ArchiveDependencies, record: ContainerRecord): Promise<ContainerView> {
  await using undo = new AsyncDisposableStack();
  const { rootfs } = await openRootfs(deps, record, undo);
  const mounts: TreeMount[] = daemonFiles(deps, record);
  for (const mount of record.mounts) mounts.push(await openMount(deps, record, mount, undo));
  mounts.sort((a, b) => depth(a.destination) - depth(b.destination));
  const { state } = record;
  const tree: TreeRequest = {
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
  const { rootfs } = await openRootfs(deps, record, undo);
  return viewOf({ rootfs, readOnly: false, mounts: [] }, undo.move());
}

function viewOf(tree: TreeRequest, held: AsyncDisposableStack): ContainerView {
  return { tree, [Symbol.asyncDispose]: () => held.disposeAsync() };
}

async function openRootfs(deps: ArchiveDependencies, record: ContainerRecord, undo: AsyncDisposableStack): Promise<{ rootfs: string }> {
  const { upper, work, rootfs } = instancePaths(deps.instance).container(record.id);
  const layers = record.layers.map(parseDigest);
  undo.use(
    await deps.snapshots.borrow({ layers, upper, work, target: rootfs, volatile: record.volatile }, async () => {
      deps.containers.get(record.id); // removed meanwhile: its folders must not come into being again
      await makeFolders(deps, record.id);
    }),
  );
  return { rootfs };
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
  const source = await deps.volumes.mount(name, record.id);
  undo.defer(() => deps.volumes.unmount(name, record.id));
  // A new volume has what the image has there, from its first use on.
  const { rootfs } = instancePaths(deps.instance).container(record.id);
  if (!wasStarted(record.state) && !mount.noCopy) await deps.volumes.populate(name, rootfs, destination);
  return { ...common, source };
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
