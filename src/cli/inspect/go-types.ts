import { Row, Scalar } from "../format/values.ts";
import { goTime } from "../time.ts";

/**
 * The structs that Docker's client runs templates on: their fields exist also where the daemon has left them out, have names of their own, and an
 * order in which they print. A field is `Name`, with `:key` where the key of its JSON is another and `?` where JSON leaves an empty one out; after
 * `=` stands its type: nothing for text, `i` number, `b` boolean, `d` duration, `t` time, `*T` may be absent, `[]T` list, `{}T` map, `any`, or a struct.
 * Source: the types of the Engine API in github.com/moby/moby, api/types.
 */
const structs: Readonly<Record<string, string>> = {
  container:
    "ID:Id Created Path Args=[] State=*State Image ResolvConfPath HostnamePath HostsPath LogPath Name RestartCount=i Driver Platform MountLabel " +
    "ProcessLabel AppArmorProfile ExecIDs=[] HostConfig=*HostConfig GraphDriver=GraphDriver SizeRw?=*i SizeRootFs?=*i Mounts=[]MountPoint " +
    "Config=*Config NetworkSettings=*NetworkSettings ImageManifestDescriptor?=*Descriptor",
  State: "Status Running=b Paused=b Restarting=b OOMKilled=b Dead=b Pid=i ExitCode=i Error StartedAt FinishedAt Health?=*Health",
  Health: "Status FailingStreak=i Log=[]HealthcheckResult",
  HealthcheckResult: "Start=t End=t ExitCode=i Output",
  GraphDriver: "Data={} Name",
  MountPoint: "Type? Name? Source Destination Driver? Mode RW=b Propagation",
  Descriptor: "MediaType:mediaType Digest:digest Size:size=i URLs:urls?=[] Annotations:annotations?={} Platform:platform?=any",
  Config:
    "Hostname Domainname User AttachStdin=b AttachStdout=b AttachStderr=b ExposedPorts?={}Empty Tty=b OpenStdin=b StdinOnce=b Env=[] Cmd=[] " +
    "Healthcheck?=*Healthcheck ArgsEscaped?=b Image Volumes={}Empty WorkingDir Entrypoint=[] NetworkDisabled?=b MacAddress? OnBuild=[] " +
    "Labels={} StopSignal? StopTimeout?=*i Shell?=[]",
  Healthcheck: "Test?=[] Interval?=d Timeout?=d StartPeriod?=d StartInterval?=d Retries?=i",
  Empty: "",
  HostConfig:
    "Binds=[] ContainerIDFile LogConfig=LogConfig NetworkMode PortBindings={}[]PortBinding RestartPolicy=RestartPolicy AutoRemove=b VolumeDriver " +
    "VolumesFrom=[] ConsoleSize=[]i Annotations?={} CapAdd=[] CapDrop=[] CgroupnsMode DNS:Dns=[] DNSOptions:DnsOptions=[] DNSSearch:DnsSearch=[] " +
    "ExtraHosts=[] GroupAdd=[] IpcMode Cgroup Links=[] OomScoreAdj=i PidMode Privileged=b PublishAllPorts=b ReadonlyRootfs=b SecurityOpt=[] " +
    "StorageOpt?={} Tmpfs?={} UTSMode UsernsMode ShmSize=i Sysctls?={} Runtime? Isolation CPUShares:CpuShares=i Memory=i NanoCPUs:NanoCpus=i " +
    "CgroupParent BlkioWeight=i BlkioWeightDevice=[]any BlkioDeviceReadBps=[]any BlkioDeviceWriteBps=[]any BlkioDeviceReadIOps=[]any " +
    "BlkioDeviceWriteIOps=[]any CPUPeriod:CpuPeriod=i CPUQuota:CpuQuota=i CPURealtimePeriod:CpuRealtimePeriod=i " +
    "CPURealtimeRuntime:CpuRealtimeRuntime=i CpusetCpus CpusetMems Devices=[]Device DeviceCgroupRules=[] DeviceRequests=[]DeviceRequest " +
    "KernelMemory?=i KernelMemoryTCP?=i MemoryReservation=i MemorySwap=i MemorySwappiness=*i OomKillDisable=*b PidsLimit=*i Ulimits=[]Ulimit " +
    "CPUCount:CpuCount=i CPUPercent:CpuPercent=i IOMaximumIOps=i IOMaximumBandwidth=i Mounts?=[]Mount MaskedPaths=[] ReadonlyPaths=[] Init?=*b",
  LogConfig: "Type Config={}",
  PortBinding: "HostIP:HostIp HostPort",
  RestartPolicy: "Name MaximumRetryCount=i",
  Device: "PathOnHost PathInContainer CgroupPermissions",
  DeviceRequest: "Driver Count=i DeviceIDs=[] Capabilities=[]any Options={}",
  Ulimit: "Name Hard=i Soft=i",
  Mount:
    "Type? Source? Target? ReadOnly?=b Consistency? BindOptions?=any VolumeOptions?=any ImageOptions?=any TmpfsOptions?=any ClusterOptions?=any",
  NetworkSettings:
    "Bridge SandboxID SandboxKey Ports={}[]PortBinding HairpinMode=b LinkLocalIPv6Address LinkLocalIPv6PrefixLen=i SecondaryIPAddresses=[]any " +
    "SecondaryIPv6Addresses=[]any EndpointID Gateway GlobalIPv6Address GlobalIPv6PrefixLen=i IPAddress IPPrefixLen=i IPv6Gateway MacAddress " +
    "Networks={}EndpointSettings",
  EndpointSettings:
    "IPAMConfig=*EndpointIPAMConfig Links=[] Aliases=[] MacAddress DriverOpts={} GwPriority=i NetworkID EndpointID Gateway IPAddress IPPrefixLen=i " +
    "IPv6Gateway GlobalIPv6Address GlobalIPv6PrefixLen=i DNSNames=[]",
  EndpointIPAMConfig: "IPv4Address? IPv6Address? LinkLocalIPs?=[]",
  image:
    "ID:Id RepoTags=[] RepoDigests=[] Parent Comment Created? DockerVersion Author Config=*ImageConfig Architecture Variant? Os OsVersion? Size=i " +
    "VirtualSize?=i GraphDriver=GraphDriver RootFS=RootFS Metadata=Metadata Descriptor?=*Descriptor Manifests?=[]any",
  ImageConfig:
    "User? ExposedPorts?={}Empty Env?=[] Entrypoint?=[] Cmd?=[] Volumes?={}Empty WorkingDir? Labels?={} StopSignal? ArgsEscaped?=b " +
    "Healthcheck?=*Healthcheck OnBuild?=[] Shell?=[]",
  RootFS: "Type? Layers?=[]",
  Metadata: "LastTagTime?=t",
  network:
    "Name ID:Id Created=t Scope Driver EnableIPv4=b EnableIPv6=b IPAM=IPAM Internal=b Attachable=b Ingress=b ConfigFrom=ConfigReference ConfigOnly=b " +
    "Containers={}EndpointResource Options={} Labels={} Peers?=[]any Services?=any",
  IPAM: "Driver Options={} Config=[]IPAMConfig",
  IPAMConfig: "Subnet? IPRange? Gateway? AuxAddress:AuxiliaryAddresses?={}",
  ConfigReference: "Network",
  EndpointResource: "Name EndpointID MacAddress IPv4Address IPv6Address",
  volume: "ClusterVolume?=any CreatedAt? Driver Labels={} Mountpoint Name Options={} Scope Status?={}any UsageData?=*UsageData",
  UsageData: "RefCount=i Size=i",
  version:
    "Platform?=any Components?=[]Component Version ApiVersion MinAPIVersion? GitCommit GoVersion Os Arch KernelVersion? Experimental?=b BuildTime?",
  Component: "Name Version Details={}",
  info:
    "ID Containers=i ContainersRunning=i ContainersPaused=i ContainersStopped=i Images=i Driver DriverStatus=[]any SystemStatus?=[]any " +
    "Plugins=Plugins MemoryLimit=b SwapLimit=b KernelMemory?=b KernelMemoryTCP?=b CPUCfsPeriod:CpuCfsPeriod=b CPUCfsQuota:CpuCfsQuota=b " +
    "CPUShares=b CPUSet=b PidsLimit=b IPv4Forwarding=b Debug=b NFd=i OomKillDisable=b NGoroutines=i SystemTime LoggingDriver CgroupDriver " +
    "CgroupVersion? NEventsListener=i KernelVersion OperatingSystem OSVersion OSType Architecture IndexServerAddress RegistryConfig=any NCPU=i " +
    "MemTotal=i GenericResources=[]any DockerRootDir HTTPProxy:HttpProxy HTTPSProxy:HttpsProxy NoProxy Name Labels=[] ExperimentalBuild=b " +
    "ServerVersion Runtimes={}any DefaultRuntime Swarm=Swarm LiveRestoreEnabled=b Isolation InitBinary ContainerdCommit=Commit " +
    "RuncCommit=Commit InitCommit=Commit SecurityOptions=[] ProductLicense? DefaultAddressPools?=[]any FirewallBackend?=any CDISpecDirs=[] " +
    "DiscoveredDevices?=[]any Containerd?=any Warnings=[] ClientInfo=ClientInfo",
  Plugins: "Volume=[] Network=[] Authorization=[] Log=[]",
  Swarm: "NodeID NodeAddr LocalNodeState ControlAvailable=b Error RemoteManagers=[]any Nodes?=i Managers?=i Cluster?=any Warnings?=[]",
  Commit: "ID",
  ClientInfo: "Debug=b Version GitCommit GoVersion Os Arch BuildTime Context Plugins=[]any Warnings=[]",
};

/** How Go's errors name them. */
const goNames: Readonly<Record<string, string>> = { volume: "volume.Volume", version: "*types.Version", info: "system.dockerInfo" };

interface Field {
  readonly name: string;
  readonly key: string;
  readonly omitsEmpty: boolean;
  readonly type: string;
}

const known = new Map<string, readonly Field[]>();

function fieldsOf(struct: string): readonly Field[] {
  let fields = known.get(struct);
  if (!fields) known.set(struct, (fields = (structs[struct] ?? "").split(" ").filter(Boolean).map(parseField)));
  return fields;
}

function parseField(text: string): Field {
  const [, name = "", key = name, omits = "", type = ""] = /^(\w+)(?::(\w+))?(\?)?(?:=(.*))?$/.exec(text) ?? [];
  return { name, key, omitsEmpty: omits !== "", type };
}

/** What the daemon has written about a noun, as the struct that templates are run on. Keys nobody knows are left out, as Go leaves them out. */
export function goStruct(name: string, json: Readonly<Record<string, unknown>>): Row {
  const fields = fieldsOf(name).map((field) => ({ ...field, value: typed(json[field.key], field.type) }));
  return new Row(goNames[name] ?? name, Object.fromEntries(fields.map((field) => [field.name, () => field.value])), {
    isStruct: true,
    json: () => fields.flatMap(({ key, value, omitsEmpty }) => (omitsEmpty && isEmpty(value) ? [] : [[key, value] as const])),
  });
}

function typed(value: unknown, type: string): unknown {
  if (type === "any") return value ?? null;
  if (type.startsWith("*")) return value === null || value === undefined ? null : typed(value, type.slice(1));
  if (type.startsWith("[]")) return Array.isArray(value) ? value.map((one) => typed(one, type.slice(2))) : nil([]);
  if (type.startsWith("{}")) {
    if (!isObject(value)) return nil({});
    return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, typed(one, type.slice(2))]));
  }
  switch (type) {
    case "":
      return value ?? "";
    case "i":
      return value ?? 0;
    case "b":
      return value ?? false;
    case "d":
      return new Scalar(goDuration(Number(value ?? 0)), value ?? 0);
    case "t":
      return new Scalar(goTimeOf(typeof value === "string" ? value : zeroTime), value ?? zeroTime);
    default:
      return goStruct(type, isObject(value) ? value : {});
  }
}

const zeroTime = "0001-01-01T00:00:00Z";

/** A list or map that is null: it prints as an empty one, and only `json` shows the difference. */
const nil = <T extends object>(empty: T): T => Object.defineProperty(empty, "toJSON", { value: () => null });

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

function isEmpty(value: unknown): boolean {
  if (value instanceof Row) return false;
  if (value instanceof Scalar) return value.json === 0;
  if (Array.isArray(value)) return value.length === 0;
  return isObject(value) ? Object.keys(value).length === 0 : !value;
}

/** RFC 3339 as Go prints a time: `2026-11-24 00:05:10.123 +0000 UTC`. */
function goTimeOf(text: string): string {
  const [, day, time, fraction = "", zone] = /^(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d)(\.\d+)?(.*)$/.exec(text) ?? [];
  if (day === undefined) return text;
  const shown = fraction.replace(/\.?0+$/, "");
  if (zone === "Z") return `${day} ${time}${shown} +0000 UTC`;
  return goTime(Date.parse(text)).replace(/(?<=:\d\d) /, `${shown} `);
}

const seconds = 1e9;

/** Nanoseconds as Go prints a duration: `1m30s`, `500ms`. */
function goDuration(nano: number): string {
  if (nano === 0) return "0s";
  const size = Math.abs(nano);
  const sign = nano < 0 ? "-" : "";
  if (size < 1e3) return `${sign}${size}ns`;
  if (size < 1e6) return `${sign}${size / 1e3}µs`;
  if (size < seconds) return `${sign}${size / 1e6}ms`;
  const minutes = Math.trunc(size / (60 * seconds));
  const rest = `${(size % (60 * seconds)) / seconds}s`;
  if (minutes === 0) return `${sign}${rest}`;
  return minutes < 60 ? `${sign}${minutes}m${rest}` : `${sign}${Math.trunc(minutes / 60)}h${minutes % 60}m${rest}`;
}
