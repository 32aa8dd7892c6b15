import { cut } from "../../flag-kinds.ts";
import type { FlagValues } from "../../flags.ts";
import { isCdiDevice, parseDevice } from "./devices.ts";
import { pair, readEnvironment, readLabels, withProxies } from "./environment.ts";
import type { createFlags } from "./flags.ts";
import { parseRestartPolicy } from "./limits.ts";
import { endpointsOf } from "./network.ts";
import { parsePorts } from "./ports.ts";
import { readSecurityOptions } from "./security.ts";
import { parseVolumes } from "./volumes.ts";

type CreateValues = FlagValues<typeof createFlags>;

export interface CreateInput {
  readonly flags: CreateValues;
  readonly changed: ReadonlySet<string>;
  /** The image, then the command. */
  readonly args: readonly string[];
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly directory: string;
  readonly proxies: Readonly<Record<string, Readonly<Record<string, string>>>>;
  readonly daemonUrl: string;
}

/** The body of `POST /containers/create`; the part that `run` changes is named. */
export interface CreateBody {
  AttachStdin: boolean;
  AttachStdout: boolean;
  AttachStderr: boolean;
  StdinOnce: boolean;
  readonly Tty: boolean;
  readonly OpenStdin: boolean;
  readonly Image: string;
  readonly HostConfig: Readonly<Record<string, unknown>> & { readonly AutoRemove: boolean; ConsoleSize: readonly [number, number] };
  readonly [field: string]: unknown;
}

/**
 * Turns the flags of `create` and `run` into the request, field by field as Docker's client sends it.
 * @throws {Error} with Docker's words for values that contradict each other or cannot be read
 */
export async function createBody(input: CreateInput): Promise<CreateBody> {
  const { flags, changed } = input;
  checkModes(flags);
  const restart = parseRestartPolicy(flags.restart);
  if (flags.rm && restart.Name !== "no" && restart.Name !== "")
    throw new Error("conflicting options: cannot specify both --restart and --rm");
  const hasAttach = flags.attach.length > 0;
  const attachStdin = flags.interactive || flags.attach.includes("stdin");
  const ports = parsePorts(flags.publish, flags.expose);
  const volumes = parseVolumes(flags.volume, input.directory);
  const entries = withProxies(flags.env, input.proxies, input.daemonUrl);
  const [environment, labels, security] = await Promise.all([
    readEnvironment(flags.envFile, entries, input.environment),
    readLabels(flags.labelFile, flags.label),
    readSecurityOptions(flags.securityOpt),
  ]);
  const health = healthcheck(flags);
  const [image = "", ...command] = input.args;
  return {
    Hostname: flags.hostname,
    Domainname: flags.domainname,
    User: flags.user,
    AttachStdin: attachStdin,
    AttachStdout: !hasAttach || flags.attach.includes("stdout"),
    AttachStderr: !hasAttach || flags.attach.includes("stderr"),
    ...(Object.keys(ports.exposed).length > 0 ? { ExposedPorts: ports.exposed } : {}),
    Tty: flags.tty,
    OpenStdin: flags.interactive,
    // stdin is closed when the attached client leaves
    StdinOnce: flags.interactive && attachStdin,
    Env: environment,
    Cmd: command.length > 0 ? command : null,
    ...(health ? { Healthcheck: health } : {}),
    Image: image,
    Volumes: volumes.anonymous,
    WorkingDir: flags.workdir,
    Entrypoint: flags.entrypoint !== "" || changed.has("entrypoint") ? [flags.entrypoint] : null,
    OnBuild: null,
    Labels: labels,
    ...(flags.stopSignal ? { StopSignal: flags.stopSignal } : {}),
    ...(changed.has("stopTimeout") ? { StopTimeout: flags.stopTimeout } : {}),
    HostConfig: hostConfig(input, { restart, ports, volumes, security }),
    NetworkingConfig: { EndpointsConfig: endpointsConfig(flags) },
  };
}

function endpointsConfig(flags: CreateValues): object {
  return endpointsOf(flags.network, {
    aliases: flags.networkAlias,
    links: flags.link,
    linkLocalIps: flags.linkLocalIp,
    ipv4: flags.ip,
    ipv6: flags.ip6,
    macAddress: flags.macAddress,
  });
}

interface Parsed {
  readonly restart: ReturnType<typeof parseRestartPolicy>;
  readonly ports: ReturnType<typeof parsePorts>;
  readonly volumes: ReturnType<typeof parseVolumes>;
  readonly security: Awaited<ReturnType<typeof readSecurityOptions>>;
}

function hostConfig({ flags, changed }: CreateInput, { restart, ports, volumes, security }: Parsed): CreateBody["HostConfig"] {
  const tmpfs = Object.fromEntries(flags.tmpfs.map((one) => [cut(one, ":")[0], cut(one, ":")[1] ?? ""]));
  return {
    Binds: volumes.binds,
    ContainerIDFile: flags.cidfile,
    LogConfig: logConfig(flags),
    NetworkMode: flags.network[0]?.target ?? "default",
    PortBindings: ports.bindings,
    RestartPolicy: restart,
    AutoRemove: flags.rm,
    VolumeDriver: flags.volumeDriver,
    VolumesFrom: orNull(flags.volumesFrom),
    ConsoleSize: [0, 0],
    ...(Object.keys(flags.annotation).length > 0 ? { Annotations: flags.annotation } : {}),
    CapAdd: orNull(capabilities(flags.capAdd)),
    // What is both added and dropped is added.
    CapDrop: orNull(capabilities(flags.capDrop).filter((name) => !capabilities(flags.capAdd).includes(name))),
    CgroupnsMode: flags.cgroupns,
    Dns: flags.dns,
    DnsOptions: flags.dnsOption,
    DnsSearch: flags.dnsSearch,
    ExtraHosts: orNull(flags.addHost),
    GroupAdd: orNull(flags.groupAdd),
    IpcMode: flags.ipc,
    Cgroup: "",
    Links: orNull(flags.link),
    OomScoreAdj: flags.oomScoreAdj,
    PidMode: flags.pid,
    Privileged: flags.privileged,
    PublishAllPorts: flags.publishAll,
    ReadonlyRootfs: flags.readOnly,
    SecurityOpt: security.options,
    ...(flags.storageOpt.length > 0 ? { StorageOpt: storageOptions(flags.storageOpt) } : {}),
    ...(flags.tmpfs.length > 0 ? { Tmpfs: tmpfs } : {}),
    UTSMode: flags.uts,
    UsernsMode: flags.userns,
    ShmSize: flags.shmSize,
    ...(Object.keys(flags.sysctl).length > 0 ? { Sysctls: flags.sysctl } : {}),
    ...(flags.runtime ? { Runtime: flags.runtime } : {}),
    Isolation: flags.isolation,
    ...resources(flags),
    ...(flags.mount.length > 0 ? { Mounts: flags.mount } : {}),
    MaskedPaths: security.maskedPaths,
    ReadonlyPaths: security.readonlyPaths,
    ...(changed.has("init") ? { Init: flags.init } : {}),
  };
}

function resources(flags: CreateValues): Record<string, unknown> {
  const { memorySwappiness } = flags;
  if (memorySwappiness !== -1 && (memorySwappiness < 0 || memorySwappiness > 100))
    throw new Error(`invalid value: ${memorySwappiness}. Valid memory swappiness range is 0-100`);
  return {
    CpuShares: flags.cpuShares,
    Memory: flags.memory,
    NanoCpus: flags.cpus,
    CgroupParent: flags.cgroupParent,
    BlkioWeight: flags.blkioWeight,
    BlkioWeightDevice: flags.blkioWeightDevice,
    BlkioDeviceReadBps: flags.deviceReadBps,
    BlkioDeviceWriteBps: flags.deviceWriteBps,
    BlkioDeviceReadIOps: flags.deviceReadIops,
    BlkioDeviceWriteIOps: flags.deviceWriteIops,
    CpuPeriod: flags.cpuPeriod,
    CpuQuota: flags.cpuQuota,
    CpuRealtimePeriod: flags.cpuRtPeriod,
    CpuRealtimeRuntime: flags.cpuRtRuntime,
    CpusetCpus: flags.cpusetCpus,
    CpusetMems: flags.cpusetMems,
    ...devices(flags),
    DeviceCgroupRules: orNull(flags.deviceCgroupRule),
    MemoryReservation: flags.memoryReservation,
    MemorySwap: flags.memorySwap,
    MemorySwappiness: memorySwappiness,
    OomKillDisable: flags.oomKillDisable,
    PidsLimit: flags.pidsLimit,
    Ulimits: flags.ulimit,
    CpuCount: flags.cpuCount,
    CpuPercent: flags.cpuPercent,
    IOMaximumIOps: flags.ioMaxiops,
    IOMaximumBandwidth: flags.ioMaxbandwidth,
  };
}

/** `net_admin` → `CAP_NET_ADMIN`; each once, in order. */
function capabilities(names: readonly string[]): readonly string[] {
  const full = names
    .map((name) => name.trim().toUpperCase())
    .map((name) => (name === "ALL" || name.startsWith("CAP_") ? name : `CAP_${name}`));
  return [...new Set(full)].toSorted();
}

/** CDI devices are asked for by name, all others are mapped by path. */
function devices(flags: CreateValues): { Devices: readonly unknown[]; DeviceRequests: readonly unknown[] | null } {
  const cdi = flags.device.filter(isCdiDevice);
  const requests = [
    ...flags.gpus,
    ...(cdi.length > 0 ? [{ Driver: "cdi", Count: 0, DeviceIDs: cdi, Capabilities: null, Options: null }] : []),
  ];
  return { Devices: flags.device.filter((one) => !isCdiDevice(one)).map(parseDevice), DeviceRequests: orNull(requests) };
}

function logConfig(flags: CreateValues): object {
  if (flags.logDriver === "none" && flags.logOpt.length > 0) throw new Error("invalid logging opts for driver none");
  return { Type: flags.logDriver, Config: Object.fromEntries(flags.logOpt.map(pair)) };
}

function storageOptions(values: readonly string[]): object {
  if (values.some((value) => !value.includes("="))) throw new Error("invalid storage option");
  return Object.fromEntries(values.map(pair));
}

function checkModes(flags: CreateValues): void {
  const isContainer = (mode: string): boolean => /^container:.+/.test(mode);
  if (!["", "private", "host"].includes(flags.pid) && !isContainer(flags.pid)) throw new Error("--pid: invalid PID mode");
  if (!["", "host"].includes(flags.uts)) throw new Error("--uts: invalid UTS mode");
  if (!["", "host"].includes(flags.userns)) throw new Error("--userns: invalid USER mode");
  if (!["", "private", "host"].includes(flags.cgroupns)) throw new Error("--cgroupns: invalid CGROUP mode");
}

function healthcheck(flags: CreateValues): object | undefined {
  const { healthCmd, healthInterval, healthTimeout, healthStartPeriod, healthStartInterval, healthRetries } = flags;
  const isSet =
    healthCmd !== "" || [healthInterval, healthTimeout, healthStartPeriod, healthStartInterval, healthRetries].some((value) => value !== 0);
  if (flags.noHealthcheck) {
    if (isSet) throw new Error("--no-healthcheck conflicts with --health-* options");
    return { Test: ["NONE"] };
  }
  if (!isSet) return undefined;
  const named = {
    interval: healthInterval,
    timeout: healthTimeout,
    retries: healthRetries,
    "start-period": healthStartPeriod,
    "start-interval": healthStartInterval,
  };
  for (const [name, value] of Object.entries(named)) if (value < 0) throw new Error(`--health-${name} cannot be negative`);
  return {
    ...(healthCmd === "" ? {} : { Test: ["CMD-SHELL", healthCmd] }),
    ...(healthInterval ? { Interval: healthInterval } : {}),
    ...(healthTimeout ? { Timeout: healthTimeout } : {}),
    ...(healthStartPeriod ? { StartPeriod: healthStartPeriod } : {}),
    ...(healthStartInterval ? { StartInterval: healthStartInterval } : {}),
    ...(healthRetries ? { Retries: healthRetries } : {}),
  };
}

const orNull = <T>(values: readonly T[]): readonly T[] | null => (values.length > 0 ? values : null);
