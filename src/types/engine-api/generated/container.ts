// Written by scripts/generate-engine-api.ts; do not edit.

import type { EmptyObject } from "./empty.ts";

export interface Address {
  readonly Addr?: string;
  readonly PrefixLen?: number;
}

export type ChangeType = number;

export interface ContainerBlkioStatEntry {
  readonly major?: number;
  readonly minor?: number;
  readonly op?: string;
  readonly value?: number;
}

export interface ContainerBlkioStats {
  readonly io_service_bytes_recursive?: readonly ContainerBlkioStatEntry[] | null;
  readonly io_serviced_recursive?: readonly ContainerBlkioStatEntry[] | null;
  readonly io_queue_recursive?: readonly ContainerBlkioStatEntry[] | null;
  readonly io_service_time_recursive?: readonly ContainerBlkioStatEntry[] | null;
  readonly io_wait_time_recursive?: readonly ContainerBlkioStatEntry[] | null;
  readonly io_merged_recursive?: readonly ContainerBlkioStatEntry[] | null;
  readonly io_time_recursive?: readonly ContainerBlkioStatEntry[] | null;
  readonly sectors_recursive?: readonly ContainerBlkioStatEntry[] | null;
}

export interface ContainerCPUStats {
  readonly cpu_usage?: ContainerCPUUsage | null;
  readonly system_cpu_usage?: number | null;
  readonly online_cpus?: number | null;
  readonly throttling_data?: ContainerThrottlingData | null;
}

export interface ContainerCPUUsage {
  readonly total_usage?: number;
  readonly percpu_usage?: readonly number[] | null;
  readonly usage_in_kernelmode?: number;
  readonly usage_in_usermode?: number;
}

export interface ContainerConfig {
  readonly Hostname?: string;
  readonly Domainname?: string;
  readonly User?: string;
  readonly AttachStdin?: boolean;
  readonly AttachStdout?: boolean;
  readonly AttachStderr?: boolean;
  readonly ExposedPorts?: Readonly<Record<string, EmptyObject>> | null;
  readonly Tty?: boolean;
  readonly OpenStdin?: boolean;
  readonly StdinOnce?: boolean;
  readonly Env?: readonly string[] | null;
  readonly Cmd?: readonly string[] | null;
  readonly Healthcheck?: HealthConfig | null;
  readonly ArgsEscaped?: boolean | null;
  readonly Image?: string;
  readonly Volumes?: Readonly<Record<string, EmptyObject>> | null;
  readonly WorkingDir?: string;
  readonly Entrypoint?: readonly string[] | null;
  readonly NetworkDisabled?: boolean | null;
  readonly OnBuild?: readonly string[] | null;
  readonly Labels?: Readonly<Record<string, string>> | null;
  readonly StopSignal?: string | null;
  readonly StopTimeout?: number | null;
  readonly Shell?: readonly string[] | null;
  readonly MacAddress?: string | null;
}

export interface ContainerCreateRequest extends ContainerConfig {
  readonly HostConfig?: HostConfig | null;
  readonly NetworkingConfig?: NetworkingConfig | null;
}

export interface ContainerCreateResponse {
  readonly Id: string;
  readonly Warnings: readonly string[];
}

export interface ContainerInspectResponse {
  readonly Id?: string;
  readonly Created?: string | null;
  readonly Path?: string;
  readonly Args?: readonly string[] | null;
  readonly State?: ContainerState | null;
  readonly Image?: string;
  readonly ResolvConfPath?: string;
  readonly HostnamePath?: string;
  readonly HostsPath?: string;
  readonly LogPath?: string | null;
  readonly Name?: string;
  readonly RestartCount?: number;
  readonly Driver?: string;
  readonly Platform?: string;
  readonly ImageManifestDescriptor?: OCIDescriptor | null;
  readonly MountLabel?: string;
  readonly ProcessLabel?: string;
  readonly AppArmorProfile?: string;
  readonly ExecIDs?: readonly string[] | null;
  readonly HostConfig?: HostConfig | null;
  readonly GraphDriver?: DriverData | null;
  readonly Storage?: Storage | null;
  readonly SizeRw?: number | null;
  readonly SizeRootFs?: number | null;
  readonly Mounts?: readonly MountPoint[] | null;
  readonly Config?: ContainerConfig | null;
  readonly NetworkSettings?: NetworkSettings | null;
}

export interface ContainerMemoryStats {
  readonly usage?: number | null;
  readonly max_usage?: number | null;
  readonly stats?: Readonly<Record<string, number | null>> | null;
  readonly failcnt?: number | null;
  readonly limit?: number | null;
  readonly commitbytes?: number | null;
  readonly commitpeakbytes?: number | null;
  readonly privateworkingset?: number | null;
}

export interface ContainerNetworkStats {
  readonly rx_bytes?: number;
  readonly rx_packets?: number;
  readonly rx_errors?: number;
  readonly rx_dropped?: number;
  readonly tx_bytes?: number;
  readonly tx_packets?: number;
  readonly tx_errors?: number;
  readonly tx_dropped?: number;
  readonly endpoint_id?: string | null;
  readonly instance_id?: string | null;
}

export interface ContainerPidsStats {
  readonly current?: number | null;
  readonly limit?: number | null;
}

export interface ContainerPruneResponse {
  readonly ContainersDeleted?: readonly string[] | null;
  readonly SpaceReclaimed?: number;
}

export interface ContainerState {
  readonly Status?: string;
  readonly Running?: boolean;
  readonly Paused?: boolean;
  readonly Restarting?: boolean;
  readonly OOMKilled?: boolean;
  readonly Dead?: boolean;
  readonly Pid?: number;
  readonly ExitCode?: number;
  readonly Error?: string;
  readonly StartedAt?: string;
  readonly FinishedAt?: string;
  readonly Health?: Health | null;
}

export interface ContainerStatsResponse {
  readonly id?: string | null;
  readonly name?: string | null;
  readonly os_type?: string | null;
  readonly read?: string;
  readonly cpu_stats?: ContainerCPUStats | null;
  readonly memory_stats?: ContainerMemoryStats | null;
  readonly networks?: Readonly<Record<string, ContainerNetworkStats>> | null;
  readonly pids_stats?: ContainerPidsStats | null;
  readonly blkio_stats?: ContainerBlkioStats | null;
  readonly num_procs?: number;
  readonly storage_stats?: ContainerStorageStats | null;
  readonly preread?: string;
  readonly precpu_stats?: ContainerCPUStats | null;
}

export interface ContainerStorageStats {
  readonly read_count_normalized?: number | null;
  readonly read_size_bytes?: number | null;
  readonly write_count_normalized?: number | null;
  readonly write_size_bytes?: number | null;
}

export interface ContainerSummary {
  readonly Id?: string;
  readonly Names?: readonly string[] | null;
  readonly Image?: string;
  readonly ImageID?: string;
  readonly ImageManifestDescriptor?: OCIDescriptor | null;
  readonly Command?: string;
  readonly Created?: number;
  readonly Ports?: readonly PortSummary[] | null;
  readonly SizeRw?: number | null;
  readonly SizeRootFs?: number | null;
  readonly Labels?: Readonly<Record<string, string>> | null;
  readonly State?: string;
  readonly Status?: string;
  readonly HostConfig?: { readonly NetworkMode?: string; readonly Annotations?: Readonly<Record<string, string>> | null } | null;
  readonly NetworkSettings?: { readonly Networks?: Readonly<Record<string, EndpointSettings>> | null } | null;
  readonly Mounts?: readonly MountPoint[] | null;
  readonly Health?: { readonly Status?: string; readonly FailingStreak?: number } | null;
}

export interface ContainerThrottlingData {
  readonly periods?: number;
  readonly throttled_periods?: number;
  readonly throttled_time?: number;
}

export interface ContainerTopResponse {
  readonly Titles?: readonly string[] | null;
  readonly Processes?: readonly (readonly string[])[] | null;
}

export interface ContainerUpdateRequest extends Resources {
  readonly RestartPolicy?: RestartPolicy | null;
}

export interface ContainerUpdateResponse {
  readonly Warnings?: readonly string[] | null;
}

export interface ContainerWaitExitError {
  readonly Message?: string;
}

export interface ContainerWaitResponse {
  readonly StatusCode: number;
  readonly Error?: ContainerWaitExitError | null;
}

export interface DeviceMapping {
  readonly PathOnHost?: string;
  readonly PathInContainer?: string;
  readonly CgroupPermissions?: string;
}

export interface DeviceRequest {
  readonly Driver?: string;
  readonly Count?: number;
  readonly DeviceIDs?: readonly string[] | null;
  readonly Capabilities?: readonly (readonly string[])[] | null;
  readonly Options?: Readonly<Record<string, string>> | null;
}

export interface DriverData {
  readonly Name: string;
  readonly Data: Readonly<Record<string, string>>;
}

export interface EndpointIPAMConfig {
  readonly IPv4Address?: string;
  readonly IPv6Address?: string;
  readonly LinkLocalIPs?: readonly string[] | null;
}

export interface EndpointSettings {
  readonly IPAMConfig?: EndpointIPAMConfig | null;
  readonly Links?: readonly string[] | null;
  readonly MacAddress?: string;
  readonly Aliases?: readonly string[] | null;
  readonly DriverOpts?: Readonly<Record<string, string>> | null;
  readonly GwPriority?: number;
  readonly NetworkID?: string;
  readonly EndpointID?: string;
  readonly Gateway?: string;
  readonly IPAddress?: string;
  readonly IPPrefixLen?: number;
  readonly IPv6Gateway?: string;
  readonly GlobalIPv6Address?: string;
  readonly GlobalIPv6PrefixLen?: number;
  readonly DNSNames?: readonly string[] | null;
}

export interface ErrorResponse {
  readonly message: string;
}

export interface FilesystemChange {
  readonly Path: string;
  readonly Kind: ChangeType;
}

export interface Health {
  readonly Status?: string;
  readonly FailingStreak?: number;
  readonly Log?: readonly HealthcheckResult[] | null;
}

export interface HealthConfig {
  readonly Test?: readonly string[] | null;
  readonly Interval?: number;
  readonly Timeout?: number;
  readonly Retries?: number;
  readonly StartPeriod?: number;
  readonly StartInterval?: number;
}

export interface HealthcheckResult {
  readonly Start?: string;
  readonly End?: string;
  readonly ExitCode?: number;
  readonly Output?: string;
}

export interface HostConfig extends Resources {
  readonly Binds?: readonly string[] | null;
  readonly ContainerIDFile?: string;
  readonly LogConfig?: LogConfig | null;
  readonly NetworkMode?: string;
  readonly PortBindings?: PortMap | null;
  readonly RestartPolicy?: RestartPolicy | null;
  readonly AutoRemove?: boolean;
  readonly VolumeDriver?: string;
  readonly VolumesFrom?: readonly string[] | null;
  readonly Mounts?: readonly Mount[] | null;
  readonly ConsoleSize?: readonly number[] | null;
  readonly Annotations?: Readonly<Record<string, string>> | null;
  readonly CapAdd?: readonly string[] | null;
  readonly CapDrop?: readonly string[] | null;
  readonly CgroupnsMode?: string;
  readonly Dns?: readonly string[] | null;
  readonly DnsOptions?: readonly string[] | null;
  readonly DnsSearch?: readonly string[] | null;
  readonly ExtraHosts?: readonly string[] | null;
  readonly GroupAdd?: readonly string[] | null;
  readonly IpcMode?: string;
  readonly Cgroup?: string;
  readonly Links?: readonly string[] | null;
  readonly OomScoreAdj?: number;
  readonly PidMode?: string;
  readonly Privileged?: boolean;
  readonly PublishAllPorts?: boolean;
  readonly ReadonlyRootfs?: boolean;
  readonly SecurityOpt?: readonly string[] | null;
  readonly StorageOpt?: Readonly<Record<string, string>> | null;
  readonly Tmpfs?: Readonly<Record<string, string>> | null;
  readonly UTSMode?: string;
  readonly UsernsMode?: string;
  readonly ShmSize?: number;
  readonly Sysctls?: Readonly<Record<string, string>> | null;
  readonly Runtime?: string | null;
  readonly Isolation?: string;
  readonly MaskedPaths?: readonly string[] | null;
  readonly ReadonlyPaths?: readonly string[] | null;
  readonly Init?: boolean | null;
}

export interface LogConfig {
  readonly Type?: string;
  readonly Config?: Readonly<Record<string, string>> | null;
}

export interface Mount {
  readonly Target?: string;
  readonly Source?: string;
  readonly Type?: MountType;
  readonly ReadOnly?: boolean;
  readonly Consistency?: string;
  readonly BindOptions?: MountBindOptions | null;
  readonly VolumeOptions?: MountVolumeOptions | null;
  readonly ImageOptions?: MountImageOptions | null;
  readonly TmpfsOptions?: MountTmpfsOptions | null;
  readonly ClusterOptions?: MountClusterOptions | null;
}

export interface MountBindOptions {
  readonly Propagation?: string;
  readonly NonRecursive?: boolean;
  readonly CreateMountpoint?: boolean;
  readonly ReadOnlyNonRecursive?: boolean;
  readonly ReadOnlyForceRecursive?: boolean;
}

export type MountClusterOptions = EmptyObject;

export interface MountDriverConfig {
  readonly Name?: string;
  readonly Options?: Readonly<Record<string, string>> | null;
}

export interface MountImageOptions {
  readonly Subpath?: string;
}

export interface MountPoint {
  readonly Type?: MountType;
  readonly Name?: string;
  readonly Source?: string;
  readonly Destination?: string;
  readonly Driver?: string;
  readonly Mode?: string;
  readonly RW?: boolean;
  readonly Propagation?: string;
}

export interface MountTmpfsOptions {
  readonly SizeBytes?: number;
  readonly Mode?: number;
  readonly Options?: readonly (readonly string[])[] | null;
}

export type MountType = string;

export interface MountVolumeOptions {
  readonly NoCopy?: boolean;
  readonly Labels?: Readonly<Record<string, string>> | null;
  readonly DriverConfig?: MountDriverConfig | null;
  readonly Subpath?: string;
}

export interface NetworkSettings {
  readonly SandboxID?: string;
  readonly SandboxKey?: string;
  readonly Ports?: PortMap | null;
  readonly Networks?: Readonly<Record<string, EndpointSettings>> | null;
  readonly Bridge?: string;
  readonly HairpinMode?: boolean;
  readonly LinkLocalIPv6Address?: string;
  readonly LinkLocalIPv6PrefixLen?: number;
  readonly SecondaryIPAddresses?: readonly Address[] | null;
  readonly SecondaryIPv6Addresses?: readonly Address[] | null;
  readonly EndpointID?: string;
  readonly Gateway?: string;
  readonly GlobalIPv6Address?: string;
  readonly GlobalIPv6PrefixLen?: number;
  readonly IPAddress?: string;
  readonly IPPrefixLen?: number;
  readonly IPv6Gateway?: string;
  readonly MacAddress?: string;
}

export interface NetworkingConfig {
  readonly EndpointsConfig?: Readonly<Record<string, EndpointSettings>> | null;
}

export interface OCIDescriptor {
  readonly mediaType?: string;
  readonly digest?: string;
  readonly size?: number;
  readonly urls?: readonly string[] | null;
  readonly annotations?: Readonly<Record<string, string>> | null;
  readonly data?: string | null;
  readonly platform?: OCIPlatform | null;
  readonly artifactType?: string | null;
}

export interface OCIPlatform {
  readonly architecture?: string;
  readonly os?: string;
  readonly "os.version"?: string;
  readonly "os.features"?: readonly string[] | null;
  readonly variant?: string;
}

export interface PortBinding {
  readonly HostIp?: string;
  readonly HostPort?: string;
}

export type PortMap = Readonly<Record<string, readonly PortBinding[] | null>>;

export interface PortSummary {
  readonly IP?: string;
  readonly PrivatePort: number;
  readonly PublicPort?: number;
  readonly Type: string;
}

export interface Resources {
  readonly CpuShares?: number;
  readonly Memory?: number;
  readonly CgroupParent?: string;
  readonly BlkioWeight?: number;
  readonly BlkioWeightDevice?: readonly WeightDevice[] | null;
  readonly BlkioDeviceReadBps?: readonly ThrottleDevice[] | null;
  readonly BlkioDeviceWriteBps?: readonly ThrottleDevice[] | null;
  readonly BlkioDeviceReadIOps?: readonly ThrottleDevice[] | null;
  readonly BlkioDeviceWriteIOps?: readonly ThrottleDevice[] | null;
  readonly CpuPeriod?: number;
  readonly CpuQuota?: number;
  readonly CpuRealtimePeriod?: number;
  readonly CpuRealtimeRuntime?: number;
  readonly CpusetCpus?: string;
  readonly CpusetMems?: string;
  readonly Devices?: readonly DeviceMapping[] | null;
  readonly DeviceCgroupRules?: readonly string[] | null;
  readonly DeviceRequests?: readonly DeviceRequest[] | null;
  readonly MemoryReservation?: number;
  readonly MemorySwap?: number;
  readonly MemorySwappiness?: number | null;
  readonly NanoCpus?: number;
  readonly OomKillDisable?: boolean | null;
  readonly PidsLimit?: number | null;
  readonly Ulimits?: readonly Ulimit[] | null;
  readonly CpuCount?: number;
  readonly CpuPercent?: number;
  readonly IOMaximumIOps?: number;
  readonly IOMaximumBandwidth?: number;
  readonly KernelMemoryTCP?: number;
  readonly KernelMemory?: number;
}

export interface RestartPolicy {
  readonly Name?: string;
  readonly MaximumRetryCount?: number;
}

export interface RootFSStorage {
  readonly Snapshot?: RootFSStorageSnapshot | null;
}

export interface RootFSStorageSnapshot {
  readonly Name?: string;
}

export interface Storage {
  readonly RootFS?: RootFSStorage | null;
}

export interface ThrottleDevice {
  readonly Path?: string;
  readonly Rate?: number;
}

export interface Ulimit {
  readonly Name?: string;
  readonly Soft?: number;
  readonly Hard?: number;
}

export interface WeightDevice {
  readonly Path?: string;
  readonly Weight?: number;
}
