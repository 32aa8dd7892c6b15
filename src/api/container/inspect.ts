import { posix } from "node:path";
import type { ContainerService } from "#engine/container/service.ts";
import { shownLinks } from "#engine/container/links/linked.ts";
import type { NetworkService } from "#engine/network/service.ts";
import { dnsNames } from "#engine/network/service.ts";
import { sortKeys } from "#lib/sort-keys.ts";
import type {
  ContainerInspectResponse,
  ContainerState as WireState,
  EndpointSettings,
  Health,
  HostConfig,
  MountPoint,
  NetworkSettings,
} from "#types/engine-api/index.ts";
import type { ContainerHealth, ContainerMount, ContainerRecord } from "#types/record/container.ts";
import type { SandboxState } from "#types/record/network.ts";
import { exposedPorts } from "#engine/container/ports.ts";
import { maskedPaths, readonlyPaths } from "#engine/container/spec/build.ts";
import { isRunning, shownStatus, wasStarted, wasTried } from "#engine/container/state.ts";
import { toWireResources } from "./wire-resources.ts";

/** A container as inspect shows it, every field with the type and the empty value that Docker gives it. */
export function toInspect(
  record: ContainerRecord,
  services: { readonly containers: ContainerService; readonly networks: NetworkService },
  extra: { readonly execIds: readonly string[]; readonly size?: { readonly rw: number; readonly rootFs: number } },
): ContainerInspectResponse {
  const places = services.containers.places(record);
  const [path = "", ...args] = [...(record.config.Entrypoint ?? []), ...(record.config.Cmd ?? [])];
  return {
    Id: record.id,
    Created: record.createdAt,
    Path: path,
    Args: args,
    State: toWireState(record, services.containers.health.of(record)),
    Image: record.imageId,
    ...(wasTried(record.state)
      ? { ResolvConfPath: places.resolvConf, HostnamePath: places.hostname, HostsPath: places.hosts, LogPath: places.log }
      : { ResolvConfPath: "", HostnamePath: "", HostsPath: "", LogPath: "" }),
    Name: `/${record.name}`,
    RestartCount: record.restartCount,
    Driver: places.snapshotter,
    Platform: record.platform.os,
    MountLabel: "",
    ProcessLabel: "",
    AppArmorProfile: "",
    ExecIDs: extra.execIds.length > 0 ? extra.execIds : null,
    HostConfig: { ...toWireHostConfig(record.hostConfig), Links: record.links?.length ? shownLinks(record) : null },
    GraphDriver: {
      Name: places.snapshotter,
      Data: {
        ID: record.id,
        ...(places.snapshotter !== "vfs" && { MergedDir: places.rootfs, UpperDir: places.upper, WorkDir: places.work }),
      },
    },
    ...(extra.size && { SizeRw: extra.size.rw, SizeRootFs: extra.size.rootFs }),
    Mounts: toMountPoints(record),
    Config: toWireConfig(record),
    NetworkSettings: toNetworkSettings(record, services.networks),
  };
}

function toWireState(record: ContainerRecord, health: ContainerHealth | undefined): WireState {
  const { state } = record;
  const status = shownStatus(record);
  return {
    Status: status,
    Running: isRunning(state) || status === "restarting",
    Paused: status === "paused",
    Restarting: status === "restarting",
    OOMKilled: state.oomKilled,
    Dead: status === "dead",
    Pid: isRunning(state) ? state.process.pid : 0,
    ExitCode: state.exitCode,
    Error: state.error,
    StartedAt: state.startedAt,
    FinishedAt: state.finishedAt,
    ...(health && { Health: toWireHealth(health) }),
  };
}

function toWireHealth({ status, failingStreak, log }: ContainerHealth): Health {
  return {
    Status: status,
    FailingStreak: failingStreak,
    Log: log.map(({ startedAt, endedAt, exitCode, output }) => ({ Start: startedAt, End: endedAt, ExitCode: exitCode, Output: output })),
  };
}

function toWireConfig(record: ContainerRecord): NonNullable<ContainerInspectResponse["Config"]> {
  const { config } = record;
  const orNull = <T extends object>(value: T | null | undefined): T | null => (value && Object.keys(value).length > 0 ? value : null);
  const exposed = orNull(config.ExposedPorts);
  const mac = record.networks[record.hostConfig.NetworkMode ?? ""]?.mac;
  return {
    Hostname: config.Hostname ?? "",
    Domainname: config.Domainname ?? "",
    User: config.User ?? "",
    AttachStdin: config.AttachStdin ?? false,
    AttachStdout: config.AttachStdout ?? false,
    AttachStderr: config.AttachStderr ?? false,
    ...(exposed && { ExposedPorts: exposed }),
    Tty: config.Tty ?? false,
    OpenStdin: config.OpenStdin ?? false,
    StdinOnce: config.StdinOnce ?? false,
    Env: orNull(config.Env),
    Cmd: config.Cmd ?? null,
    ...(config.Healthcheck && { Healthcheck: config.Healthcheck }),
    Image: config.Image ?? "",
    Volumes: orNull(config.Volumes),
    WorkingDir: config.WorkingDir ?? "",
    Entrypoint: config.Entrypoint ?? null,
    OnBuild: config.OnBuild ?? null,
    Labels: config.Labels ?? {},
    ...(mac !== undefined && { MacAddress: mac }),
    ...(config.StopSignal && { StopSignal: config.StopSignal }),
    ...(config.StopTimeout !== undefined && config.StopTimeout !== null && { StopTimeout: config.StopTimeout }),
    ...(config.Shell && { Shell: config.Shell }),
  };
}

/** Empty values as Docker's own structures have them. */
const hostConfigDefaults: HostConfig = {
  Binds: null,
  ContainerIDFile: "",
  LogConfig: { Type: "json-file", Config: {} },
  NetworkMode: "bridge",
  PortBindings: null,
  RestartPolicy: { Name: "no", MaximumRetryCount: 0 },
  AutoRemove: false,
  VolumeDriver: "",
  VolumesFrom: null,
  ConsoleSize: [0, 0],
  CapAdd: null,
  CapDrop: null,
  CgroupnsMode: "host",
  Dns: null,
  DnsOptions: null,
  DnsSearch: null,
  ExtraHosts: null,
  GroupAdd: null,
  IpcMode: "private",
  Cgroup: "",
  Links: null,
  OomScoreAdj: 0,
  PidMode: "",
  Privileged: false,
  PublishAllPorts: false,
  ReadonlyRootfs: false,
  SecurityOpt: null,
  UTSMode: "",
  UsernsMode: "",
  ShmSize: 67108864,
  Runtime: "crun",
  Isolation: "",
  CpuShares: 0,
  Memory: 0,
  NanoCpus: 0,
  CgroupParent: "",
  BlkioWeight: 0,
  BlkioWeightDevice: null,
  BlkioDeviceReadBps: null,
  BlkioDeviceWriteBps: null,
  BlkioDeviceReadIOps: null,
  BlkioDeviceWriteIOps: null,
  CpuPeriod: 0,
  CpuQuota: 0,
  CpuRealtimePeriod: 0,
  CpuRealtimeRuntime: 0,
  CpusetCpus: "",
  CpusetMems: "",
  Devices: null,
  DeviceCgroupRules: null,
  DeviceRequests: null,
  MemoryReservation: 0,
  MemorySwap: 0,
  MemorySwappiness: null,
  OomKillDisable: false,
  PidsLimit: null,
  Ulimits: null,
  CpuCount: 0,
  CpuPercent: 0,
  IOMaximumIOps: 0,
  IOMaximumBandwidth: 0,
};

function toWireHostConfig(host: HostConfig): HostConfig {
  return {
    ...hostConfigDefaults,
    ...host,
    ...toWireResources(host),
    MaskedPaths: host.MaskedPaths ?? (host.Privileged ? null : maskedPaths),
    ReadonlyPaths: host.ReadonlyPaths ?? (host.Privileged ? null : readonlyPaths),
  };
}

/** All mounts but those of `--tmpfs`, which only HostConfig shows. */
export function toMountPoints(record: ContainerRecord): MountPoint[] {
  const plain = new Set(Object.keys(record.hostConfig.Tmpfs ?? {}).map((path) => posix.resolve("/", path)));
  return record.mounts.filter((mount) => mount.type !== "tmpfs" || !plain.has(mount.destination)).map(toMountPoint);
}

function toMountPoint(mount: ContainerMount): MountPoint {
  return {
    Type: mount.type,
    ...((mount.image?.name ?? mount.name) !== undefined && { Name: mount.image?.name ?? mount.name }),
    Source: mount.source,
    Destination: mount.destination,
    ...(mount.driver !== undefined && { Driver: mount.driver }),
    Mode: mount.type === "tmpfs" ? "" : mount.mode,
    RW: mount.writable,
    Propagation: mount.propagation,
  };
}

/** Published ports as inspect shows them: exposed ones without a binding are null. */
export function toPortMap(record: ContainerRecord): NonNullable<NetworkSettings["Ports"]> {
  const ports: Record<string, { HostIp: string; HostPort: string }[] | null> = Object.create(null) as Record<
    string,
    { HostIp: string; HostPort: string }[] | null
  >;
  if (!isRunning(record.state)) return ports;
  for (const { containerPort, protocol } of exposedPorts(record.config)) ports[`${containerPort}/${protocol}`] = null;
  for (const { containerPort, protocol, hostIp, hostPort } of record.sandbox?.ports ?? []) {
    const key = `${containerPort}/${protocol}`;
    ports[key] = [...(ports[key] ?? []), { HostIp: hostIp, HostPort: String(hostPort) }];
  }
  return ports;
}

/** The endpoints by network name, as inspect and lists show them. */
export function toEndpoints(record: ContainerRecord, networks: NetworkService): Record<string, EndpointSettings> {
  const endpoints: Record<string, EndpointSettings> = Object.create(null) as Record<string, EndpointSettings>;
  for (const [name, wanted] of Object.entries(sortKeys(record.networks))) {
    const network = networks.peek(wanted.networkId);
    const state = runningSandbox(record)?.endpoints.find((endpoint) => endpoint.networkId === wanted.networkId);
    const started = wasStarted(record.state);
    const hasIpam = wanted.ipv4 !== undefined || wanted.ipv6 !== undefined || wanted.linkLocal.length > 0;
    endpoints[network?.config.name ?? name] = {
      IPAMConfig: hasIpam
        ? {
            ...(wanted.ipv4 !== undefined && { IPv4Address: wanted.ipv4 }),
            ...(wanted.ipv6 !== undefined && { IPv6Address: wanted.ipv6 }),
            ...(wanted.linkLocal.length > 0 && { LinkLocalIPs: wanted.linkLocal }),
          }
        : null,
      Links: wanted.links.length > 0 ? wanted.links : null,
      Aliases: wanted.aliases.length > 0 ? wanted.aliases : null,
      MacAddress: state?.mac ?? wanted.mac ?? "",
      DriverOpts: Object.keys(wanted.driverOptions).length > 0 ? wanted.driverOptions : null,
      GwPriority: wanted.gatewayPriority,
      NetworkID: started ? wanted.networkId : "",
      EndpointID: state?.endpointId ?? "",
      Gateway: state?.ipv4Gateway ?? "",
      IPAddress: state?.ipv4 ?? "",
      IPPrefixLen: state?.ipv4PrefixLength ?? 0,
      IPv6Gateway: state?.ipv6Gateway ?? "",
      GlobalIPv6Address: state?.ipv6 ?? "",
      GlobalIPv6PrefixLen: state?.ipv6PrefixLength ?? 0,
      DNSNames: (started || wanted.connectedLater) && network?.config.nameResolution ? dnsNames(record, wanted.aliases) : null,
    };
  }
  return endpoints;
}

/** The network namespace; of a container that has ended, what is left until its clean-up is done does not count. */
function runningSandbox(record: ContainerRecord): SandboxState | undefined {
  return isRunning(record.state) ? record.sandbox : undefined;
}

function toNetworkSettings(record: ContainerRecord, networks: NetworkService): NetworkSettings {
  const endpoints = toEndpoints(record, networks);
  const main = endpoints["bridge"];
  const sandbox = runningSandbox(record);
  return {
    Bridge: "",
    SandboxID: sandbox ? record.id : "",
    SandboxKey: sandbox?.netnsPath ?? "",
    Ports: toPortMap(record),
    HairpinMode: false,
    LinkLocalIPv6Address: "",
    LinkLocalIPv6PrefixLen: 0,
    SecondaryIPAddresses: null,
    SecondaryIPv6Addresses: null,
    EndpointID: main?.EndpointID ?? "",
    Gateway: main?.Gateway ?? "",
    GlobalIPv6Address: main?.GlobalIPv6Address ?? "",
    GlobalIPv6PrefixLen: main?.GlobalIPv6PrefixLen ?? 0,
    IPAddress: main?.IPAddress ?? "",
    IPPrefixLen: main?.IPPrefixLen ?? 0,
    IPv6Gateway: main?.IPv6Gateway ?? "",
    MacAddress: main?.MacAddress ?? "",
    Networks: endpoints,
  };
}
