import { sleep } from "#lib/async.ts";
import { messageOf } from "#lib/errors.ts";
import { instancePaths } from "#lib/instance.ts";
import type { ContainerRecord } from "#types/record/container.ts";
import type { SandboxState } from "#types/record/network.ts";
import { startInOrder } from "./boot-order/start.ts";
import { containerAttributes } from "./create.ts";
import type { ContainerDependencies } from "./dependencies.ts";
import { upstreamServers } from "./files.ts";
import { endLeftCheck } from "./health/left-checks.ts";
import { healthUnchecked } from "./health/state.ts";
import type { HealthMonitor } from "./health/monitor.ts";
import type { Lifecycle } from "./lifecycle.ts";
import { admitLinked } from "./links/admit.ts";
import { startsWithDaemon } from "./restart-policy.ts";
import { keepSizeLimit, removeSized } from "./rootfs.ts";
import { cgroupsPath } from "./spec/assemble.ts";
import { logConfig } from "./log-config.ts";
import { now, runtimeOf } from "./start.ts";
import { attachSocket } from "#drivers/runtime/conmon.ts";
import { isRunning } from "./state.ts";
import { keepRootFolder } from "./user-namespace.ts";

const unknownExitCode = 255;
const exitFileMilliseconds = 3000;

/**
 * Makes records and reality agree after a restart of the daemon, however it ended: what runs is taken up, what has ended meanwhile gets
 * its true exit code, what is orphaned goes. The API is not open yet.
 */
export async function restoreContainers(deps: ContainerDependencies, lifecycle: Lifecycle): Promise<void> {
  const records = [...deps.containers.all()];
  for (const record of records)
    for (const mount of record.mounts) if (mount.name !== undefined) deps.volumes.addUser(mount.name, record.id);
  for (const runtime of deps.runtimes.values()) {
    await runtime.endStrayMonitors((id) => {
      const record = deps.containers.peek(id);
      return record !== undefined && (isRunning(record.state) || isLive(deps, record));
    });
  }
  const running = await Promise.all(
    records.map((record) => restoreOne(deps, record).catch((error: unknown) => failed(deps, record, error))),
  );
  const alive = running.filter((record) => record !== undefined);
  for (const record of alive) await keepSizeLimit(deps, record).catch((error: unknown) => limitFailed(deps, record, error));
  await deps.networkDriver.restore(
    deps.networks.list().map(({ config }) => config),
    alive.flatMap((record) =>
      record.sandbox ? [{ ...record.sandbox, resolver: { upstream: upstreamServers(record, { ...deps.settings, hostGateway: "" }) } }] : [],
    ) satisfies (SandboxState & object)[],
  );
  for (const record of alive) {
    await admitLinked(deps, record);
    for (const mount of record.mounts) if (mount.name !== undefined) deps.volumes.adopt(mount.name);
  }
  await deps.volumes.unmountUnused();
  await detachLeft(deps);
  await removeOrphans(deps);
  // Not before: one that has ended may be restarted at once, and what that makes is nobody's until it runs.
  for (const record of alive) lifecycle.adopt(record.id);
}

/** Starts what its restart policy wants to run. Not waited for: a container that does not start must not keep the API closed. */
export function startWanted(deps: ContainerDependencies, lifecycle: Lifecycle, health: HealthMonitor): void {
  const wanted = [...deps.containers.all()].filter(({ state, hostConfig, stoppedByUser, interrupted = false }) => {
    if (isRunning(state) || state.status === "created" || hostConfig.AutoRemove) return false;
    return startsWithDaemon(hostConfig.RestartPolicy, { stoppedByUser, interrupted, exitCode: state.exitCode });
  });
  startInOrder({ deps, lifecycle, health }, wanted).catch((error: unknown) =>
    deps.log.error("containers were not started", { error: messageOf(error) }),
  );
}

/** Made, let go, and not ended. */
function isLive(deps: ContainerDependencies, record: ContainerRecord): boolean {
  const paths = instancePaths(deps.instance).container(record.id);
  const found = runtimeOf(deps, record).find(record.id, paths.bundle, paths.persist);
  return (found.alive && !found.waitsForStart) || found.exit !== undefined;
}

function failed(deps: ContainerDependencies, record: ContainerRecord, error: unknown): undefined {
  deps.log.error("container could not be restored", { container: record.id, error: messageOf(error) });
  return undefined;
}

/** It goes on without: what runs is not ended for it. */
function limitFailed(deps: ContainerDependencies, record: ContainerRecord, error: unknown): void {
  deps.log.error("container runs without its size limit", { container: record.id, error: messageOf(error) });
}

/** The record, as far as the container runs. */
async function restoreOne(deps: ContainerDependencies, record: ContainerRecord): Promise<ContainerRecord | undefined> {
  const { containers, log, logs } = deps;
  const paths = instancePaths(deps.instance).container(record.id);
  const runtime = runtimeOf(deps, record);
  let found = runtime.find(record.id, paths.bundle, paths.persist);
  // It has just ended: its monitor is about to say how.
  for (
    let waited = 0;
    waited < exitFileMilliseconds && !found.alive && !found.exit && found.monitorAlive && isRunning(record.state);
    waited += 20
  ) {
    await sleep(20);
    found = runtime.find(record.id, paths.bundle, paths.persist);
  }
  if (found.alive && found.process && !found.waitsForStart && record.state.status !== "removing") {
    await logs.open(logConfig(deps, record), true);
    logs.setValve(record.id, attachSocket(paths.bundle));
    if (!isRunning(record.state)) {
      await containers.restore(record.id, { ...record.state, status: "running", process: found.process, startedAt: now(deps) });
      log.info("container was started by the daemon before", { container: record.id, pid: found.process.pid });
    } else {
      // A kill between a pause and its record leaves it frozen, and what is frozen could not even be killed.
      const isFrozen = runtime.isFrozen(record.id);
      if (isFrozen && record.state.status === "running") await runtime.resume(record.id);
      const status = record.state.status === "paused" && isFrozen ? "paused" : "running";
      await containers.restore(record.id, { ...record.state, status, process: found.process });
    }
    return containers.get(record.id);
  }
  if (found.process) {
    await runtime.signal(record.id, found.process, 9, true).catch(() => undefined); // waited for a start that will not come
  }
  await cleanUp(deps, record);
  if (record.state.status === "removing" || record.state.status === "dead") return removeRecord(deps, record);
  if (isRunning(record.state)) {
    const { process: _gone, ...history } = record.state;
    const { exitCode, oomKilled } = found.exit ?? { exitCode: unknownExitCode, oomKilled: false };
    await logs.open(logConfig(deps, record), true);
    await logs.finish(record.id);
    const { sandbox: _sandbox, ...rest } = record;
    await deps.store.observe((transaction) =>
      transaction.put("container", record.id, {
        ...rest,
        ...(found.exit === undefined && { interrupted: true }),
        ...(record.health && { health: healthUnchecked(record.health) }),
        state: { ...history, status: "exited", exitCode, oomKilled: oomKilled || history.oomKilled, finishedAt: now(deps) },
      }),
    );
    if (oomKilled && !history.oomKilled) deps.events.emit("container", "oom", record.id, containerAttributes(record));
    deps.events.emit("container", "die", record.id, { ...containerAttributes(record), exitCode: String(exitCode) });
    log.info("container ended while the daemon was away", { container: record.id, exitCode, known: found.exit !== undefined });
    if (record.hostConfig.AutoRemove) return removeRecord(deps, record);
  } else if (record.state.status === "starting" || record.state.status === "restarting") {
    await containers.restore(record.id, { ...record.state, status: record.state.startedAt.startsWith("0001") ? "created" : "exited" });
  }
  if (record.logDriver !== "json-file" && !isRunning(record.state)) await logs.sendRest(logConfig(deps, record));
  return undefined;
}

/** Everything of a run that is over. All of it derives from the id. */
async function cleanUp(deps: ContainerDependencies, record: ContainerRecord): Promise<void> {
  const paths = instancePaths(deps.instance).container(record.id);
  await runtimeOf(deps, record).remove(record.id, paths.bundle, cgroupsPath(deps, record));
  await deps.snapshots.unmount(paths.rootfs);
}

async function removeRecord(deps: ContainerDependencies, record: ContainerRecord): Promise<undefined> {
  const paths = instancePaths(deps.instance).container(record.id);
  for (const mount of record.mounts) if (mount.name !== undefined) deps.volumes.removeUser(mount.name, record.id);
  await deps.containers.remove(record.id);
  deps.events.emit("container", "destroy", record.id, containerAttributes(record));
  await deps.logs.remove(record.id, { spoolFolder: paths.spool, logsFolder: paths.logs });
  await removeSized(deps, record);
  await deps.removeTree(paths.folder);
  for (const mount of record.mounts)
    if (mount.anonymous && mount.name !== undefined) await deps.volumes.remove(mount.name, true).catch(() => undefined); // others use it
  return undefined;
}

/** What a start had attached when it was killed: nothing needs it any more. */
async function detachLeft(deps: ContainerDependencies): Promise<void> {
  const { mounts, roots } = instancePaths(deps.instance);
  await detachAllIn(deps, mounts);
  await detachAllIn(deps, roots);
  for (const { id, state, idMap } of deps.containers.all()) if (isRunning(state) && idMap) await keepRootFolder(deps, id);
}

async function detachAllIn(deps: ContainerDependencies, place: string): Promise<void> {
  for (const holder of await deps.listFolders(place)) {
    const folder = `${place}/${holder}`;
    // Parts of what is mounted beside them come last in the order of names, and go first.
    for (const name of [...(await deps.listFolders(folder))].sort().reverse()) {
      await deps.snapshots.unmount(`${folder}/${name}`);
      await deps.detach(`${folder}/${name}`);
    }
    await deps.detach(folder);
  }
}

/** What no record names: left by a kill between two steps of a removal. */
async function removeOrphans(deps: ContainerDependencies): Promise<void> {
  const paths = instancePaths(deps.instance);
  const isKnown = (id: string): boolean => deps.containers.peek(id) !== undefined;
  for (const target of deps.snapshots.mounted().keys()) {
    if (target.startsWith(`${paths.containers}/`) && !isKnown(target.slice(paths.containers.length + 1).split("/")[0] ?? "")) {
      deps.log.info("orphaned mount removed", { target });
      await deps.snapshots.unmount(target);
    }
  }
  for (const runtime of deps.runtimes.values()) {
    for (const id of await runtime.list()) {
      if (isKnown(id)) continue;
      deps.log.info("orphaned container removed from the runtime", { container: id });
      const { bundle, persist } = paths.container(id);
      const { process } = runtime.find(id, bundle, persist);
      if (process) await runtime.signal(id, process, 9, true);
      await runtime.remove(id, bundle, `/${deps.instance.cgroupParent}/${id}`);
    }
  }
  const bundles = new Set([...deps.containers.all()].filter(({ state }) => isRunning(state)).map(({ id }) => paths.container(id).bundle));
  for (const name of await deps.listFolders(paths.bundles)) {
    if (!bundles.has(`${paths.bundles}/${name}`)) await deps.removeTree(`${paths.bundles}/${name}`);
  }
  // Execs are not kept over a restart: what still runs of them runs on without us.
  for (const name of await deps.listFolders(paths.execs)) {
    endLeftCheck(deps, name);
    await deps.removeTree(`${paths.execs}/${name}`);
  }
  for (const id of await deps.listFolders(paths.containers)) {
    if (isKnown(id)) continue;
    deps.log.info("orphaned folder removed", { container: id });
    await removeSized(deps, { id });
    await deps.removeTree(`${paths.containers}/${id}`);
  }
}
