import { mkdirSync, rmSync } from "node:fs";
import { dirname } from "node:path";
import { CheckpointFailure } from "#drivers/runtime/checkpoint.ts";
import { startFailureExitCodes, StartError } from "#drivers/runtime/failure.ts";
import { attachSocket } from "#drivers/runtime/conmon.ts";
import type { RunListener, RuntimeDriver, RuntimeProcess, StartingContainer, StdinConnection } from "#drivers/runtime/types.ts";
import type { UserNamespace } from "#drivers/runtime/user-namespace.ts";
import { deferred } from "#lib/async.ts";
import { formatTimeNano } from "#lib/clock.ts";
import { EngineError, isKind, messageOf } from "#lib/errors.ts";
import { instancePaths } from "#lib/instance.ts";
import type { RuntimeSpec } from "#types/oci/runtime-spec.ts";
import type { ContainerRecord } from "#types/record/container.ts";
import type { IdMap } from "#types/record/id-map.ts";
import type { SandboxState } from "#types/record/network.ts";
import { containerAttributes } from "./create.ts";
import type { ContainerDependencies } from "./dependencies.ts";
import { containerFileTexts, giveContainerFiles, upstreamServers, usesEmbeddedResolver, writeContainerFiles } from "./files.ts";
import { admitLinked } from "./links/admit.ts";
import { linkedHosts } from "./links/linked.ts";
import type { LiveContainer } from "./live.ts";
import { logConfig } from "./log-config.ts";
import type { MadeAhead } from "./made-ahead.ts";
import { beginRequest, isStdinOnce, makeFolders, monitorShape } from "./monitor.ts";
import { attachMounts } from "./mounts/attach.ts";
import { attachSharedMemory } from "./mounts/shared-memory.ts";
import { placeMounts } from "./mounts/place.ts";
import { portRequests } from "./ports.ts";
import { mountRootfs } from "./rootfs.ts";
import { cgroupsPath, chooseSysctls } from "./spec/assemble.ts";
import { withRequestedDevices } from "./spec/device-requests.ts";
import { resolveSpec } from "./spec/resolve.ts";
import { wasStarted } from "./state.ts";
import { attachRootfs, openUserNamespace, removeRootFolder } from "./user-namespace.ts";

/** Releases in reverse order, unless the start succeeds. */
type Undo = AsyncDisposableStack;

export interface StartOptions {
  /** Called once when the process has ended. */
  readonly onExit: RunListener;
  /** Finds the folder with what it goes on from; undefined: it begins anew. */
  readonly findCheckpoint: ((record: ContainerRecord) => Promise<string>) | undefined;
}

/**
 * Starts a container that is not running. The caller holds the container's lock and has waited for the teardown of the run before.
 * @throws {StartError} or {EngineError}; everything made here is gone then, and the record tells the reason
 */
export async function startContainer(deps: ContainerDependencies, id: string, live: LiveContainer, options: StartOptions): Promise<void> {
  const { containers } = deps;
  deps.warmCgroups();
  void containers.change(id, { type: "starting" });
  await using undo = new AsyncDisposableStack();
  try {
    await run(deps, await settleNetworks(deps, containers.get(id)), live, undo, options);
  } catch (error) {
    const exitCode = failedExitCode(error, containers.get(id).state.exitCode);
    await containers.change(id, { type: "start-failed", exitCode, error: messageOf(error), at: now(deps) });
    throw error;
  }
  undo.move(); // started: what was made belongs to the container until it ends
}

/** As Docker: what fails before the runtime is asked leaves the code of the run before, when that was none of success. */
function failedExitCode(error: unknown, before: number): number {
  if (error instanceof StartError) return startFailureExitCodes[error.failure];
  return (error instanceof CheckpointFailure ? 0 : before) || startFailureExitCodes.other;
}

async function run(
  deps: ContainerDependencies,
  record: ContainerRecord,
  live: LiveContainer,
  undo: Undo,
  { onExit, findCheckpoint }: StartOptions,
): Promise<void> {
  const { id } = record;
  const checkpoint = await findCheckpoint?.(record);
  const paths = instancePaths(deps.instance).container(id);
  const runtime = runtimeOf(deps, record);
  // What these refuse is refused before anything is made.
  if (record.hostConfig.CpuRealtimeRuntime) giveParentRealtime(deps, record);
  using userNamespace = deps.settings.idMap && (await openUserNamespace(deps, record));
  if (checkpoint !== undefined) await live.dropSpare(); // it would begin anew
  const spare = await live.takeSpare();
  const ahead = await spare?.ahead;
  undo.defer(() => deps.removeTree(paths.bundle));
  undo.defer(() => deps.networkDriver.removeSandbox(id));
  if (!spare) {
    await (live.folders ?? makeFolders(deps, id));
    live.folders = undefined;
    // An exit file of the run before would end this one. The exec root is in memory: nothing here waits for a disk.
    rmSync(paths.bundle, { recursive: true, force: true });
  }
  const mounted = spare?.rootfs ?? mountRootfs(deps, record);
  unmountLater(deps, id, mounted, undo);
  undo.defer(() => deps.logs.finish(id));
  const logOpened = deps.logs.open(logConfig(deps, record));
  logOpened.catch(() => undefined); // awaited below; a failure before that is the one to tell
  // Monitor and runtime are loaded while this thread makes the network and the configuration.
  const shape = monitorShape(deps, record.config, record.hostConfig);
  const begin = (): StartingContainer => {
    mkdirSync(paths.persist, { recursive: true, mode: 0o700 });
    const request = beginRequest(deps, id, shape, cgroupsPath(deps, record));
    return undo.use(runtime.begin({ ...request, ...(checkpoint !== undefined && { checkpoint }) }));
  };
  const starting = spare ? undo.use(spare.starting) : begin();
  const sysctls = checkpoint === undefined ? {} : restoredSysctls(record, userNamespace);
  const sandbox = await makeSandbox(deps, record, undo, { userNamespace: userNamespace?.namespace, sysctls });
  const names = { ...deps.settings, hostGateway: deps.networks.hostGateway, linked: linkedHosts(deps, record) };
  const map = userNamespace?.map;
  const texts = containerFileTexts(record, sandbox, names, usesEmbeddedResolver(deps, record));
  const filesWritten = writeContainerFiles(paths, texts, ahead?.files).then(() =>
    map || record.idMap ? giveContainerFiles(paths, map) : undefined,
  );
  filesWritten.catch(() => undefined); // awaited below
  await mounted;
  const volumes = await mountVolumes(deps, record, undo);
  await using attached = await attachMounts(deps, paths.mounts, volumes, map);
  const placed = await placeMounts(deps, attached.mounts);
  for (const mount of record.mounts) {
    if (mount.type === "volume" && !mount.noCopy && mount.name !== undefined)
      await deps.volumes.populate(mount.name, paths.rootfs, mount.destination);
  }

  const requests = record.hostConfig.DeviceRequests ?? [];
  if (userNamespace) undo.defer(() => removeRootFolder(deps, id));
  await using root = userNamespace && (await attachRootfs(deps, id, userNamespace.map));
  await using sharedMemory = await attachSharedMemory(deps, record);
  const inNamespace = userNamespace && root && { path: userNamespace.namespace.path, map: userNamespace.map, rootfs: root.path };
  const made = { netnsPath: sandbox?.netnsPath, mounts: placed, sharedMemory: sharedMemory?.path, userNamespace: inNamespace };
  const ownSpec = resolveSpec(deps, record, made);
  const spec = requests.length > 0 ? await withRequestedDevices(deps.cdi, requests, ownSpec) : ownSpec;

  await Promise.all([logOpened, filesWritten]);
  live.ended = deferred<void>();
  // What goes on has its sockets at once: their addresses must be there.
  const joinedBefore = checkpoint !== undefined && sandbox && (await joinNetworks(deps, record, sandbox, Promise.resolve()));
  const creating = ahead ? createAgain(runtime, ahead, spec, starting, begin) : starting.create(spec);
  // The links are made while the runtime makes the container.
  creating.catch(() => undefined); // awaited below
  const joined = joinedBefore || (sandbox && (await joinNetworks(deps, record, sandbox, creating)));
  const process = await creating;
  await startProcess(deps, record, live, { runtime, process, sandbox: joined, map, onExit, goesOn: checkpoint !== undefined });
}

/** The runtime sets those of the network when it makes a container, not when it restores one. */
function restoredSysctls(record: ContainerRecord, userNamespace: { readonly map: IdMap } | undefined): Readonly<Record<string, string>> {
  const all = chooseSysctls(record, { netnsPath: "", userNamespace });
  return Object.fromEntries(Object.entries(all).filter(([name]) => name.startsWith("net.")));
}

/** What was made ahead, if it is what is wanted now; else it goes, and the container is made anew. */
async function createAgain(
  runtime: RuntimeDriver,
  ahead: MadeAhead,
  spec: RuntimeSpec,
  starting: StartingContainer,
  begin: () => StartingContainer,
): Promise<RuntimeProcess> {
  if (Bun.deepEquals(ahead.spec, spec)) {
    const process = await ahead.process.catch(() => undefined);
    if (process && runtime.alive(process).init) return process;
  }
  await starting[Symbol.asyncDispose]();
  return begin().create(spec);
}

/** A group can give its containers no more than it has itself. */
function giveParentRealtime(deps: ContainerDependencies, record: ContainerRecord): void {
  const { realtime } = deps.settings;
  if (realtime.runtimeMicroseconds === 0) return; // the runtime tells what the kernel says to that
  try {
    deps.giveRealtime(dirname(cgroupsPath(deps, record)), realtime);
  } catch (error) {
    throw new EngineError("invalid", `real-time CPU of all containers: ${messageOf(error)}`, { cause: error });
  }
}

/** @param mounted  under way: what it made goes with a start that fails */
function unmountLater(deps: ContainerDependencies, id: string, mounted: Promise<void>, undo: Undo): void {
  mounted.catch(() => undefined); // awaited by the start; a failure before that is the one to tell
  undo.defer(async () => {
    await mounted.catch(() => undefined);
    await deps.snapshots.leave(instancePaths(deps.instance).container(id).rootfs);
  });
}

/** Lets the process go that waits, and takes the run up. */
async function startProcess(
  deps: ContainerDependencies,
  record: ContainerRecord,
  live: LiveContainer,
  made: {
    readonly runtime: RuntimeDriver;
    readonly process: RuntimeProcess;
    readonly sandbox: SandboxState | undefined;
    readonly map: IdMap | undefined;
    readonly onExit: RunListener;
    /** It was restored, and waits for nothing. */
    readonly goesOn: boolean;
  },
): Promise<void> {
  const { id, config } = record;
  const { runtime, process } = made;
  const paths = instancePaths(deps.instance).container(id);
  deps.logs.setValve(id, attachSocket(paths.bundle));
  if (config.OpenStdin) live.stdin = live.pending.size > 0 ? openInput(deps, record) : undefined;
  await live.stdin;
  for (const waiting of live.pending) waiting.started.resolve({ output: waiting.begin(record) });
  live.pending.clear();

  live.startedMonotonic = deps.clock.monotonic();
  for (const endpoint of made.sandbox?.endpoints ?? []) deps.networks.announce("connect", endpoint.networkId, id);
  if (!made.goesOn) await runtime.start(id, process);
  const recorded = deps.containers.change(
    id,
    { type: "start", process, at: now(deps) },
    {
      ...{ stoppedByUser: false, interrupted: false },
      ...(made.sandbox && { sandbox: made.sandbox }),
      ...((made.map ?? record.idMap) && { idMap: made.map ?? null }),
    },
  );
  runtime.watch(id, process, paths.persist, made.onExit);
  deps.events.emit("container", "start", id, containerAttributes(record));
  await recorded;
}

/** Opens the input of a container that has one. */
export function openInput(deps: ContainerDependencies, record: ContainerRecord): Promise<StdinConnection> {
  const { bundle } = instancePaths(deps.instance).container(record.id);
  return runtimeOf(deps, record).stdin({ bundle, tty: record.config.Tty === true, once: isStdinOnce(record.config) });
}

const networkFailure = "failed to set up container networking: ";

/** Until the first start a container's networks are known by name: the one that has the name now is meant, from then on for good. */
async function settleNetworks(deps: ContainerDependencies, record: ContainerRecord): Promise<ContainerRecord> {
  if (wasStarted(record.state)) return record;
  const networks = Object.fromEntries(
    Object.entries(record.networks).map(([name, wanted]) => [name, { ...wanted, networkId: networkIdOf(deps, name) }]),
  );
  const isSettled = Object.entries(networks).every(([name, { networkId }]) => networkId === record.networks[name]?.networkId);
  if (isSettled) return record;
  await deps.containers.update(record.id, (now) => ({ ...now, networks }));
  return deps.containers.get(record.id);
}

function networkIdOf(deps: ContainerDependencies, name: string): string {
  const network = deps.networks.lookup(name);
  if (!network) throw new EngineError("not_found", `${networkFailure}network ${name} not found`);
  return network.config.id;
}

interface SandboxParts {
  readonly userNamespace: UserNamespace | undefined;
  readonly sysctls: Readonly<Record<string, string>>;
}

/** undefined: the network of the host or of another container. */
async function makeSandbox(
  deps: ContainerDependencies,
  record: ContainerRecord,
  undo: Undo,
  made: SandboxParts,
): Promise<SandboxState | undefined> {
  const mode = record.hostConfig.NetworkMode ?? "bridge";
  if (mode === "host" || mode.startsWith("container:")) return undefined;
  const sandbox = await createSandbox(deps, record, made);
  undo.defer(() => {
    for (const endpoint of sandbox.endpoints) deps.networks.announce("disconnect", endpoint.networkId, record.id);
  });
  return sandbox;
}

async function createSandbox(
  deps: ContainerDependencies,
  record: ContainerRecord,
  { userNamespace, sysctls }: SandboxParts,
): Promise<SandboxState> {
  let endpoints;
  try {
    endpoints = deps.networks.endpointRequests(record);
  } catch (error) {
    throw new EngineError(isKind(error, "not_found") ? "not_found" : "internal", networkFailure + messageOf(error), { cause: error });
  }
  try {
    return await deps.networkDriver.createSandbox({
      containerId: record.id,
      hostname: record.config.Hostname ?? "",
      endpoints,
      ports: portRequests(record.config, record.hostConfig),
      resolver: { upstream: upstreamServers(record, { ...deps.settings, hostGateway: "" }) },
      sysctls,
      ...(userNamespace?.network !== undefined && { namespace: userNamespace.network }),
    });
  } catch (error) {
    throw networkError(record, error, endpoints[0]?.endpointId);
  }
}

/** @param creating  the making of the container, beside which the links are made: it can be undone only when it is done */
async function joinNetworks(
  deps: ContainerDependencies,
  record: ContainerRecord,
  sandbox: SandboxState,
  creating: Promise<unknown>,
): Promise<SandboxState> {
  try {
    const joined = await deps.networkDriver.joinSandbox(record.id);
    await admitLinked(deps, record);
    return joined;
  } catch (error) {
    await creating.catch(() => undefined);
    throw networkError(record, error, sandbox.endpoints[0]?.endpointId);
  }
}

/** Docker names the endpoint where a port was the reason. */
function networkError({ name }: ContainerRecord, error: unknown, endpointId = ""): EngineError {
  const isPort = /port is already allocated|bind host port/.test(messageOf(error));
  const where = isPort ? `driver failed programming external connectivity on endpoint ${name} (${endpointId}): ` : "";
  return new EngineError(error instanceof EngineError ? error.kind : "internal", networkFailure + where + messageOf(error), {
    cause: error,
  });
}

async function mountVolumes(deps: ContainerDependencies, record: ContainerRecord, undo: Undo): Promise<ContainerRecord["mounts"]> {
  const mounts = [];
  for (const mount of record.mounts) {
    if (mount.type !== "volume" || mount.name === undefined) {
      mounts.push(mount);
      continue;
    }
    const { name } = mount;
    const source = await deps.volumes.mount(name, record.id, mount);
    undo.defer(() => deps.volumes.unmount(name, record.id));
    mounts.push({ ...mount, source });
  }
  return mounts;
}

export function runtimeOf(deps: Pick<ContainerDependencies, "runtimes" | "settings">, record: ContainerRecord): RuntimeDriver {
  const name = record.hostConfig.Runtime || deps.settings.defaultRuntime;
  const runtime = deps.runtimes.get(name);
  if (!runtime) throw new EngineError("invalid", `unknown or invalid runtime name: ${name}`);
  return runtime;
}

export function now(deps: Pick<ContainerDependencies, "clock">): string {
  return formatTimeNano(deps.clock.nowNano());
}
