import { readFileSync } from "node:fs";
import { mkdir, readdir } from "node:fs/promises";
import { hostname, release } from "node:os";
import { FrontDoor } from "#api/http/front-door.ts";
import { listen, type Listener, type TlsFiles } from "#api/http/listen.ts";
import { apiRoutes } from "#api/routes.ts";
import { defaultCertificateFolders } from "#drivers/distribution/certificates.ts";
import { RegistryClient } from "#drivers/distribution/client.ts";
import { environmentProxies, type ProxySettings } from "#drivers/distribution/proxy.ts";
import { FileContentStore } from "#drivers/content/store.ts";
import { WorkerLogHub } from "#drivers/log/hub.ts";
import { MetadataStore } from "#drivers/metadata/store.ts";
import { HostNetworkDriver } from "#drivers/network/driver.ts";
import { HelperPool } from "#drivers/snapshot/helper-process.ts";
import { openSnapshotter } from "#drivers/snapshot/probe.ts";
import { LocalVolumeDriver } from "#drivers/volume/local.ts";
import { ContainerArchives } from "#engine/container/archive.ts";
import { containerAttributes } from "#engine/container/create.ts";
import { openUpper } from "#engine/container/rootfs.ts";
import { ImageCommits } from "#engine/image/commit/commit.ts";
import type { ContainerDependencies, ContainerSettings } from "#engine/container/dependencies.ts";
import { ContainerRegistry } from "#engine/container/registry.ts";
import { restoreContainers, startWanted } from "#engine/container/restore.ts";
import { ContainerService } from "#engine/container/service.ts";
import { capabilitiesOfMask } from "#engine/container/spec/capabilities.ts";
import { EventBus } from "#engine/event/bus.ts";
import { ExecService } from "#engine/exec/service.ts";
import { LayerTransfers } from "#engine/image/dependencies.ts";
import type { DiskFacts } from "#engine/image/housekeeping/decide.ts";
import { Housekeeper } from "#engine/image/housekeeping/housekeeper.ts";
import { parsePolicy } from "#engine/image/housekeeping/policy.ts";
import { ImageService } from "#engine/image/service.ts";
import { ImageVerification } from "#engine/image/verify/verify.ts";
import { NetworkService } from "#engine/network/service.ts";
import { SystemService, type SystemSettings } from "#engine/system/service.ts";
import { VolumeService } from "#engine/volume/service.ts";
import { systemClock } from "#lib/clock.ts";
import { EngineError, messageOf } from "#lib/errors.ts";
import { mappedRoot } from "#lib/id-map.ts";
import { instancePaths, type Instance } from "#lib/instance.ts";
import type { Logger } from "#lib/log.ts";
import { buildCommit, version } from "#lib/version.ts";
import { CdiRegistry } from "#drivers/cdi/registry.ts";
import { readHostCgroups } from "#drivers/runtime/host-cgroups.ts";
import { cgroupHierarchies, cgroupMode, type CgroupHierarchy } from "#os/cgroup.ts";
import { giveRealtime } from "#os/cgroup-realtime.ts";
import { Kernel } from "#os/kernel.ts";
import { readMounts } from "#os/mount.ts";
import { backingFileSystem, freeBytes } from "#os/file-system.ts";
import { peerUid } from "#os/peer-credentials.ts";
import { reloadableSettings, type DaemonConfig } from "./config.ts";
import { IdleCollector } from "./idle-collector.ts";
import { CgroupWarmer } from "./cgroup-warmer.ts";
import { openInstance } from "./instance.ts";
import { openQuotas } from "./quotas.ts";
import { defaultContainerBytes } from "./storage-options.ts";
import { openUserNamespaces } from "./user-namespaces.ts";
import { openRuntimes, findProgram, type Runtimes } from "./runtimes.ts";

export interface Daemon {
  /** Takes over what can change while containers run (`ReloadableSettings`). @throws {EngineError} `invalid`, and nothing has changed */
  reload(config: DaemonConfig): void;
  close(): Promise<void>;
}

const gibibyte = 2 ** 30;

/** Builds the engine from its parts, makes it agree with the host, and opens the API. The only place that knows every layer below. */
export async function openDaemon(config: DaemonConfig, log: Logger): Promise<Daemon> {
  const kernel = new Kernel();
  const opened = openInstance(config, log);
  const { instance } = opened;
  const paths = instancePaths(instance);
  const store = await MetadataStore.open(paths.database, log);
  const hierarchies = cgroupHierarchies();
  const runtimes = await openRuntimes(instance, {
    wanted: config.defaultRuntime,
    experimental: config.experimental,
    hierarchies,
    kernel,
    log,
  });
  const content = await FileContentStore.open(paths.content, log);
  const quotas = await openQuotas({
    instance,
    kernel,
    log,
    records: [...store.table("container").values(), ...store.table("volume").values()],
  });
  const defaultSizeBytes = defaultContainerBytes(config.storageOptions, quotas.containers.lack, config.storageDriver);
  const snapshots = await openSnapshotter({ layers: paths.layers, quotas: quotas.containers }, kernel, log, config.storageDriver);
  const idMap = await openUserNamespaces(config.usernsRemap, { instance, kernel, log, driver: snapshots.name });
  const logs = new WorkerLogHub(log);
  const networkDriver = new HostNetworkDriver({ instance, kernel, log });
  const events = new EventBus(store);
  const images = await ImageService.open({ store, content, snapshots, events, log });
  const helpers = new HelperPool();
  const owner = idMap && mappedRoot(idMap);
  const localVolumes = new LocalVolumeDriver({ root: paths.volumes, kernel, helpers, quotas: quotas.volumes, ...(owner && { owner }) });
  const volumes = new VolumeService(store, events, new Map([["local", localVolumes]]));
  await volumes.keepLimits((volume, error) => log.error("volume is without its size limit", { volume, error: messageOf(error) }));
  const networks = new NetworkService(instance, store, networkDriver, events);
  await networks.ensurePredefined(config);
  const warmer = new CgroupWarmer(instance, hierarchies, log);

  const cdi = new CdiRegistry(config.cdiFolders.filter(Boolean));
  const deps: ContainerDependencies = {
    ...{ instance, store, events, images, networks, networkDriver, volumes, snapshots, quotas: quotas.containers, logs, cdi, log },
    settings: { ...(await containerSettings(config, runtimes, instance, hierarchies)), defaultSizeBytes, ...(idMap && { idMap }) },
    containers: new ContainerRegistry(store),
    runtimes: runtimes.drivers,
    clock: systemClock,
    warmCgroups: () => warmer.warm(),
    giveRealtime: (path, share) => giveRealtime(hierarchies, path, share),
    removeTree: (path) => kernel.run({ type: "remove-tree", path }),
    hostMounts: () => readMounts(),
    attachSubpath: (root, path, target) => kernel.run({ type: "attach-subpath", root, path, target }),
    attachOfProcess: async ({ pid, pidStartTicks }, path, target) => {
      const request = { process: { pid, startTicks: pidStartTicks }, path, target };
      await helpers.run("attach-of-process", request, new AbortController().signal);
    },
    detach: (target) => kernel.run({ type: "detach", target }),
    makeFolder: async (path) => void (await mkdir(path, { recursive: true, mode: 0o700 })),
    listFolders: async (path) => readdir(path).catch(() => []),
  };
  const containers = new ContainerService(deps);
  const archives = new ContainerArchives(deps);
  const execs = new ExecService(deps);
  await restoreContainers(deps, containers.lifecycle);
  containers.checkpoints.takeUp();
  containers.health.begin((id, command, limits, signal) => execs.check(id, command, limits, signal));
  await images.collectGarbage();
  const settingsOf = (settings: DaemonConfig): SystemSettings =>
    systemSettings(settings, instance, runtimes, hierarchies, snapshots.name, idMap !== undefined);
  const system = new SystemService(settingsOf(config), systemVersions(runtimes), { events, containers, images, cdi });
  let current = config;
  let registries = registryClient(config);
  const transfer = { images, content, snapshots, transfers: new LayerTransfers() };
  const housekeeper = new Housekeeper(
    { store, images, events, clock: systemClock, log, disk: () => diskFacts(instance.dataRoot) },
    parsePolicy(config.imageGc),
  );
  const commits = new ImageCommits({
    ...{ ...transfer, store, containers, events, clock: systemClock },
    openUpper: (record) => openUpper(deps, record),
    attributes: containerAttributes,
  });
  await commits.takeUp();
  const door = new FrontDoor({
    routes: apiRoutes({
      ...{ containers, archives, execs, images, networks, volumes, system },
      experimental: config.experimental,
      snapshotter: snapshots.name,
      housekeeper,
      commits,
      verification: new ImageVerification({ ...transfer, helpers, log }),
      pull: {
        ...transfer,
        get registries() {
          return registries;
        },
        get maximumDownloads() {
          return current.maximumConcurrentDownloads;
        },
      },
      push: {
        ...{ ...transfer, events },
        get registries() {
          return registries;
        },
        get maximumUploads() {
          return current.maximumConcurrentUploads;
        },
      },
    }),
    productVersion: version,
    experimental: config.experimental,
    log,
  });
  const collector = new IdleCollector();
  events.listen(() => collector.touch());
  startWanted(deps, containers.lifecycle, containers.health);
  containers.open();
  const listeners = await openListeners(config, door, instance, log);
  opened.announce(config.pidFile);

  return {
    reload(next) {
      registries = registryClient(next);
      current = { ...config, ...reloadableSettings(next) };
      system.configure(settingsOf(current));
      housekeeper.configure(parsePolicy(current.imageGc));
      events.emit("daemon", "reload", instance.id, { name: hostname(), ...reloadAttributes(current) });
    },
    async close() {
      for (const listener of listeners) listener.close();
      await housekeeper.close();
      await archives.close();
      if (!current.liveRestore) await containers.stopAll(current.shutdownTimeoutSeconds);
      await containers.checkpoints.close();
      await containers.lifecycle.settle();
      await containers.health.close();
      await door.close(closeGraceMilliseconds);
      for (const runtime of runtimes.drivers.values()) runtime.close();
      await logs.close();
      await events.flush();
      await networkDriver.close();
      await store.close();
      collector.close();
      warmer.close();
      await kernel.close();
      opened.close();
    },
  };
}

function diskFacts(dataRoot: string): DiskFacts {
  const { totalBytes, availableBytes } = freeBytes(dataRoot);
  return { totalBytes, usedBytes: totalBytes - availableBytes };
}

function registryClient(config: DaemonConfig): RegistryClient {
  return new RegistryClient({
    mirrors: config.registryMirrors,
    mirrorsByRegistry: config.mirrors,
    insecureRegistries: config.insecureRegistries,
    certificateFolders: defaultCertificateFolders,
    proxies: proxiesOf(config),
  });
}

/** Those of the configuration, else of the environment. */
function proxiesOf({ httpProxy, httpsProxy, noProxy }: DaemonConfig): Required<ProxySettings> {
  const inherited = environmentProxies(process.env);
  return {
    httpProxy: httpProxy || (inherited.httpProxy ?? ""),
    httpsProxy: httpsProxy || (inherited.httpsProxy ?? ""),
    noProxy: noProxy || (inherited.noProxy ?? ""),
  };
}

/** As dockerd tells them: numbers and flags as text, lists as JSON. */
function reloadAttributes(config: DaemonConfig): Readonly<Record<string, string>> {
  return {
    debug: String(config.debug),
    "insecure-registries": JSON.stringify(config.insecureRegistries),
    labels: JSON.stringify(config.labels),
    "live-restore": String(config.liveRestore),
    "max-concurrent-downloads": String(config.maximumConcurrentDownloads),
    "max-concurrent-uploads": String(config.maximumConcurrentUploads),
    "registry-mirrors": JSON.stringify(config.registryMirrors),
    "shutdown-timeout": String(config.shutdownTimeoutSeconds),
  };
}

/** How long open requests may take to end at a shutdown. */
const closeGraceMilliseconds = 2000;

async function openListeners(config: DaemonConfig, door: FrontDoor, instance: Instance, log: Logger): Promise<Listener[]> {
  const own = `unix://${instance.execRoot}/gantry.sock`;
  const hosts = [...(config.hosts.length > 0 ? config.hosts : [own]), ...(config.dockerSocket ? ["unix:///var/run/docker.sock"] : [])];
  const tls = config.tls || config.tlsVerify ? readTls(config) : undefined;
  const group = config.group ?? (/^docker:/m.test(readFileSync("/etc/group", "utf8")) ? "docker" : "");
  const listeners: Listener[] = [];
  try {
    for (const host of hosts) {
      const opened = await listen(host, door, {
        ...(group !== "" && { group }),
        allowInsecureTcp: config.allowInsecureTcp,
        peerUid,
        ...(tls && { tls }),
      });
      listeners.push(...opened);
      for (const { address } of opened) log.info("API listens", { address });
    }
  } catch (error) {
    for (const listener of listeners) listener.close();
    throw error;
  }
  return listeners;
}

function readTls(config: DaemonConfig): TlsFiles {
  return {
    certificate: readTlsFile("tlscert", config.tlsCert),
    key: readTlsFile("tlskey", config.tlsKey),
    ...(config.tlsVerify && { clientAuthority: readTlsFile("tlscacert", config.tlsCaCert) }),
  };
}

function readTlsFile(flag: string, path: string): Uint8Array {
  if (path === "") throw new EngineError("invalid", `TLS needs --${flag}`);
  try {
    return readFileSync(path);
  } catch (error) {
    throw new EngineError("invalid", `cannot read the file of --${flag}: ${messageOf(error)}`, { cause: error });
  }
}

async function containerSettings(
  config: DaemonConfig,
  runtimes: Runtimes,
  instance: Instance,
  hierarchies: readonly CgroupHierarchy[],
): Promise<Omit<ContainerSettings, "defaultSizeBytes">> {
  const status = readFileSync("/proc/self/status", "utf8");
  const bounding = /^CapBnd:\s*([0-9a-f]+)$/m.exec(status)?.[1] ?? "0";
  const init = config.initPath ?? (await findProgram("catatonit"))?.path ?? (await findProgram("tini"))?.path;
  return {
    defaultRuntime: runtimes.defaultName,
    initPath: init,
    defaultLogDriver: config.logDriver,
    defaultLogOptions: config.logOptions,
    defaultUlimits: Object.entries(config.ulimits).map(([Name, { soft, hard }]) => ({ Name, Soft: soft, Hard: hard })),
    defaultShmBytes: config.defaultShmBytes,
    spoolSizeLimitBytes: Math.min(gibibyte, Math.floor(freeBytes(instance.dataRoot).totalBytes / 100)),
    capabilities: capabilitiesOfMask(BigInt(`0x${bounding}`)),
    cgroups: readHostCgroups(hierarchies),
    realtime: { periodMicroseconds: config.cpuRealtimePeriodMicroseconds, runtimeMicroseconds: config.cpuRealtimeRuntimeMicroseconds },
    dns: config.dns,
    dnsOptions: config.dnsOptions,
    dnsSearch: config.dnsSearch,
    stopTimeoutSeconds: 10,
  };
}

function systemSettings(
  config: DaemonConfig,
  instance: Instance,
  runtimes: Runtimes,
  hierarchies: readonly CgroupHierarchy[],
  snapshotter: string,
  isRemapped: boolean,
) {
  const controllers = new Set(hierarchies.flatMap((hierarchy) => [...hierarchy.controllers]));
  return {
    id: instance.id,
    dataRoot: instance.dataRoot,
    snapshotter,
    backingFileSystem: backingFileSystem(instance.dataRoot),
    controllers,
    cgroupVersion: cgroupMode(hierarchies) === "v2" ? ("2" as const) : ("1" as const),
    debug: config.debug,
    experimental: config.experimental,
    logDriver: config.logDriver,
    registryMirrors: config.registryMirrors,
    insecureRegistries: config.insecureRegistries,
    proxies: proxiesOf(config),
    labels: config.labels,
    runtimes: [...runtimes.drivers.values()].map(({ name, path }) => {
      const features = runtimes.features.get(name);
      return { name, path, ...(features !== undefined && { features }) };
    }),
    defaultRuntime: runtimes.defaultName,
    initBinary: config.initPath ?? "docker-init",
    liveRestore: config.liveRestore,
    securityOptions: ["name=seccomp,profile=builtin", ...(isRemapped ? ["name=userns"] : [])],
    warnings: [...runtimes.warnings, ...insecureWarnings(config)],
  };
}

function insecureWarnings(config: DaemonConfig): string[] {
  const exposed = config.hosts.filter((host) => host.startsWith("tcp://") && !config.tlsVerify);
  return exposed.map(
    (host) =>
      `WARNING: API is accessible on ${host.replace("tcp://", "http://")} without encryption: whoever reaches it is root on this host.`,
  );
}

function systemVersions(runtimes: Runtimes) {
  return {
    product: version,
    commit: buildCommit,
    buildTime: "",
    kernelVersion: release(),
    architecture: process.arch === "x64" ? "amd64" : process.arch,
    runtime: runtimes.runtime,
    monitor: runtimes.monitor,
  };
}
