import { listedLogDrivers } from "#engine/container/log-types.ts";
import type { SystemFacts } from "#engine/system/service.ts";
import { apiVersionOf, type ApiVersion } from "../http/version.ts";

/** Source: Engine API, SystemInfo; what came and went with versions: version history of the Engine API. */
export function toInfo(facts: SystemFacts, apiVersion: ApiVersion): unknown {
  const before = (minor: number): boolean => apiVersion < apiVersionOf(1, minor);
  return {
    ID: facts.id,
    Containers: facts.containers.total,
    ContainersRunning: facts.containers.running,
    ContainersPaused: facts.containers.paused,
    ContainersStopped: facts.containers.total - facts.containers.running - facts.containers.paused,
    Images: facts.images,
    Driver: facts.snapshotter,
    DriverStatus: driverStatus(facts),
    Plugins: { Volume: ["local"], Network: ["bridge", "host", "null"], Authorization: null, Log: listedLogDrivers },
    MemoryLimit: facts.controllers.has("memory"),
    SwapLimit: facts.controllers.has("memory"),
    ...(before(42) && { KernelMemory: false }),
    KernelMemoryTCP: false,
    CpuCfsPeriod: facts.controllers.has("cpu"),
    CpuCfsQuota: facts.controllers.has("cpu"),
    CPUShares: facts.controllers.has("cpu"),
    CPUSet: facts.controllers.has("cpuset"),
    PidsLimit: facts.controllers.has("pids"),
    IPv4Forwarding: facts.ipForwarding,
    ...(before(50) && { BridgeNfIptables: false, BridgeNfIp6tables: false }),
    Debug: facts.debug,
    NFd: facts.descriptors,
    OomKillDisable: facts.cgroupVersion === "1" && facts.controllers.has("memory"),
    NGoroutines: 0,
    SystemTime: facts.systemTime,
    LoggingDriver: facts.logDriver,
    CgroupDriver: "cgroupfs",
    CgroupVersion: facts.cgroupVersion,
    NEventsListener: facts.eventListeners,
    KernelVersion: facts.kernelVersion,
    OperatingSystem: facts.operatingSystem,
    OSVersion: facts.operatingSystemVersion,
    OSType: "linux",
    Architecture: facts.machine,
    IndexServerAddress: "https://index.docker.io/v1/",
    RegistryConfig: {
      ...(before(47) && { AllowNondistributableArtifactsCIDRs: null, AllowNondistributableArtifactsHostnames: null }),
      ...insecureRegistries(facts),
      Mirrors: facts.registryMirrors.length > 0 ? facts.registryMirrors : null,
    },
    NCPU: facts.processors,
    MemTotal: facts.memoryBytes,
    GenericResources: null,
    DockerRootDir: facts.dataRoot,
    HttpProxy: maskProxy(facts.proxies.httpProxy),
    HttpsProxy: maskProxy(facts.proxies.httpsProxy),
    NoProxy: facts.proxies.noProxy,
    Name: facts.hostname,
    Labels: facts.labels,
    ExperimentalBuild: facts.experimental,
    ServerVersion: facts.version,
    Runtimes: Object.fromEntries(facts.runtimes.map((runtime) => [runtime.name, toRuntime(runtime, !before(44))])),
    DefaultRuntime: facts.defaultRuntime,
    Swarm: { NodeID: "", NodeAddr: "", LocalNodeState: "inactive", ControlAvailable: false, Error: "", RemoteManagers: null },
    LiveRestoreEnabled: facts.liveRestore,
    Isolation: "",
    InitBinary: facts.initBinary,
    ContainerdCommit: { ID: "" },
    RuncCommit: { ID: facts.runtimeVersion, ...(before(49) && { Expected: facts.runtimeVersion }) },
    InitCommit: { ID: "" },
    SecurityOptions: before(25) ? facts.securityOptions.map(nameOfOption) : facts.securityOptions,
    ...(!before(49) && { FirewallBackend: { Driver: "nftables" } }),
    CDISpecDirs: facts.cdi.folders,
    ...(!before(50) && facts.cdi.devices.length > 0 && { DiscoveredDevices: facts.cdi.devices.map((id) => ({ Source: "cdi", ID: id })) }),
    Warnings: facts.warnings.length > 0 ? facts.warnings : null,
  };
}

/** As dockerd's drivers of these names tell it; EROFS is ours alone. */
function driverStatus({ snapshotter, backingFileSystem }: SystemFacts): readonly (readonly [string, string])[] | null {
  const backing = ["Backing Filesystem", fileSystemNames[backingFileSystem] ?? backingFileSystem] as const;
  if (snapshotter === "vfs") return null;
  if (snapshotter !== "overlay2") return [backing];
  return [backing, ["Supports d_type", "true"], ["Using metacopy", "false"], ["Native Overlay Diff", "true"], ["userxattr", "false"]];
}

/** Names that dockerd has for file systems, where they are not those of the mount table. */
const fileSystemNames: Readonly<Record<string, string>> = {
  cifs: "smb",
  ext2: "extfs",
  ext3: "extfs",
  ext4: "extfs",
  nfs4: "nfs",
  overlay: "overlayfs",
};

/** Networks apart from names; each name is an index of its own. */
function insecureRegistries({ insecureRegistries: entries, registryMirrors }: SystemFacts): object {
  const isNetwork = (entry: string): boolean => entry.includes("/");
  const names = entries.filter((entry) => !isNetwork(entry));
  return {
    IndexConfigs: {
      "docker.io": { Mirrors: registryMirrors, Name: "docker.io", Official: true, Secure: true },
      ...Object.fromEntries(names.map((name) => [name, { Mirrors: [], Name: name, Official: false, Secure: false }])),
    },
    InsecureRegistryCIDRs: ["::1/128", "127.0.0.0/8", ...entries.filter(isNetwork)],
  };
}

/** For everyone to see: without name and password. */
function maskProxy(proxy: string): string {
  return proxy.replace(/^([a-z0-9+.-]+:\/\/)?[^/@]*@/i, "$1xxxxx:xxxxx@");
}

function toRuntime({ path, features }: SystemFacts["runtimes"][number], withStatus: boolean): unknown {
  return { path, ...(withStatus && features !== undefined && { status: { "org.opencontainers.runtime-spec.features": features } }) };
}

/** `name=seccomp,profile=builtin` → `seccomp`. */
function nameOfOption(option: string): string {
  return /^name=([^,]*)/.exec(option)?.[1] ?? option;
}
