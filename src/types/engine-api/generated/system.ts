// Written by scripts/generate-engine-api.ts; do not edit.

import type { ContainerSummary } from "./container.ts";
import type { ImageSummary } from "./image.ts";
import type { ObjectVersion, Volume } from "./volume.ts";

export interface AuthConfig {
  readonly username?: string;
  readonly password?: string;
  readonly serveraddress?: string;
  readonly email?: string;
  readonly auth?: string;
  readonly identitytoken?: string;
  readonly registrytoken?: string;
}

export interface AuthResponse {
  readonly Status: string;
  readonly IdentityToken?: string;
}

export interface BuildCache {
  readonly ID?: string;
  readonly Parents?: readonly string[] | null;
  readonly Type?: string;
  readonly Description?: string;
  readonly InUse?: boolean;
  readonly Shared?: boolean;
  readonly Size?: number;
  readonly CreatedAt?: string;
  readonly LastUsedAt?: string | null;
  readonly UsageCount?: number;
}

export interface BuildCacheDiskUsage {
  readonly ActiveCount?: number;
  readonly TotalCount?: number;
  readonly Reclaimable?: number;
  readonly TotalSize?: number;
  readonly Items?: readonly BuildCache[] | null;
}

export interface CAConfig {
  readonly NodeCertExpiry?: number;
  readonly ExternalCAs?: readonly ExternalCA[] | null;
  readonly SigningCACert?: string;
  readonly SigningCAKey?: string;
  readonly ForceRotate?: number;
}

export interface ClusterInfo {
  readonly ID?: string;
  readonly Version?: ObjectVersion | null;
  readonly CreatedAt?: string;
  readonly UpdatedAt?: string;
  readonly Spec?: SwarmSpec | null;
  readonly TLSInfo?: TLSInfo | null;
  readonly RootRotationInProgress?: boolean;
  readonly DataPathPort?: number;
  readonly DefaultAddrPool?: readonly string[] | null;
  readonly SubnetSize?: number;
}

export interface Commit {
  readonly ID?: string;
}

export interface ContainerdInfo {
  readonly Address?: string;
  readonly Namespaces?: { readonly Containers?: string; readonly Plugins?: string } | null;
}

export interface ContainersDiskUsage {
  readonly ActiveCount?: number;
  readonly TotalCount?: number;
  readonly Reclaimable?: number;
  readonly TotalSize?: number;
  readonly Items?: readonly ContainerSummary[] | null;
}

export interface DeviceInfo {
  readonly Source?: string;
  readonly ID?: string;
}

export interface DiscreteGenericResource {
  readonly Kind?: string;
  readonly Value?: number;
}

export interface DispatcherConfig {
  readonly HeartbeatPeriod?: number;
}

export interface Driver {
  readonly Name: string;
  readonly Options?: Readonly<Record<string, string>> | null;
}

export interface EncryptionConfig {
  readonly AutoLockManagers?: boolean;
}

export interface EventActor {
  readonly ID?: string;
  readonly Attributes?: Readonly<Record<string, string>> | null;
}

export interface EventMessage {
  readonly Type?: string;
  readonly Action?: string;
  readonly Actor?: EventActor | null;
  readonly scope?: string;
  readonly time?: number;
  readonly timeNano?: number;
  readonly status?: string;
  readonly id?: string;
  readonly from?: string;
}

export interface ExternalCA {
  readonly Protocol?: string;
  readonly URL?: string;
  readonly Options?: Readonly<Record<string, string>> | null;
  readonly CACert?: string;
}

export interface FirewallInfo {
  readonly Driver?: string;
  readonly Info?: readonly (readonly string[])[] | null;
}

export interface GenericResource {
  readonly NamedResourceSpec?: NamedGenericResource | null;
  readonly DiscreteResourceSpec?: DiscreteGenericResource | null;
}

export type GenericResources = readonly GenericResource[];

export interface ImagesDiskUsage {
  readonly ActiveCount?: number;
  readonly TotalCount?: number;
  readonly Reclaimable?: number;
  readonly TotalSize?: number;
  readonly Items?: readonly ImageSummary[] | null;
}

export interface IndexInfo {
  readonly Name?: string;
  readonly Mirrors?: readonly string[] | null;
  readonly Secure?: boolean;
  readonly Official?: boolean;
}

export type LocalNodeState = string;

export interface NRIInfo {
  readonly Info?: readonly (readonly string[])[] | null;
}

export interface NamedGenericResource {
  readonly Kind?: string;
  readonly Value?: string;
}

export interface OrchestrationConfig {
  readonly TaskHistoryRetentionLimit?: number | null;
}

export interface PeerNode {
  readonly NodeID?: string;
  readonly Addr?: string;
}

export interface PluginsInfo {
  readonly Volume?: readonly string[] | null;
  readonly Network?: readonly string[] | null;
  readonly Authorization?: readonly string[] | null;
  readonly Log?: readonly string[] | null;
}

export interface RaftConfig {
  readonly SnapshotInterval?: number;
  readonly KeepOldSnapshots?: number | null;
  readonly LogEntriesForSlowFollowers?: number;
  readonly ElectionTick?: number;
  readonly HeartbeatTick?: number;
}

export interface RegistryServiceConfig {
  readonly InsecureRegistryCIDRs?: readonly string[] | null;
  readonly IndexConfigs?: Readonly<Record<string, IndexInfo>> | null;
  readonly Mirrors?: readonly string[] | null;
}

export interface Runtime {
  readonly path?: string;
  readonly runtimeArgs?: readonly string[] | null;
  readonly status?: Readonly<Record<string, string>> | null;
}

export interface SwarmInfo {
  readonly NodeID?: string;
  readonly NodeAddr?: string;
  readonly LocalNodeState?: LocalNodeState;
  readonly ControlAvailable?: boolean;
  readonly Error?: string;
  readonly RemoteManagers?: readonly PeerNode[] | null;
  readonly Nodes?: number | null;
  readonly Managers?: number | null;
  readonly Cluster?: ClusterInfo | null;
}

export interface SwarmSpec {
  readonly Name?: string;
  readonly Labels?: Readonly<Record<string, string>> | null;
  readonly Orchestration?: OrchestrationConfig | null;
  readonly Raft?: RaftConfig | null;
  readonly Dispatcher?: DispatcherConfig | null;
  readonly CAConfig?: CAConfig | null;
  readonly EncryptionConfig?: EncryptionConfig | null;
  readonly TaskDefaults?: TaskDefaults | null;
}

export interface SystemDataUsageResponse {
  readonly ImageUsage?: ImagesDiskUsage | null;
  readonly ContainerUsage?: ContainersDiskUsage | null;
  readonly VolumeUsage?: VolumesDiskUsage | null;
  readonly BuildCacheUsage?: BuildCacheDiskUsage | null;
  readonly LayersSize?: number;
  readonly Images?: readonly ImageSummary[] | null;
  readonly Containers?: readonly ContainerSummary[] | null;
  readonly Volumes?: readonly Volume[] | null;
  readonly BuildCache?: readonly BuildCache[] | null;
}

export interface SystemInfo {
  readonly ID?: string;
  readonly Containers?: number;
  readonly ContainersRunning?: number;
  readonly ContainersPaused?: number;
  readonly ContainersStopped?: number;
  readonly Images?: number;
  readonly Driver?: string;
  readonly DriverStatus?: readonly (readonly string[])[] | null;
  readonly DockerRootDir?: string;
  readonly Plugins?: PluginsInfo | null;
  readonly MemoryLimit?: boolean;
  readonly SwapLimit?: boolean;
  readonly CpuCfsPeriod?: boolean;
  readonly CpuCfsQuota?: boolean;
  readonly CPUShares?: boolean;
  readonly CPUSet?: boolean;
  readonly PidsLimit?: boolean;
  readonly OomKillDisable?: boolean;
  readonly IPv4Forwarding?: boolean;
  readonly Debug?: boolean;
  readonly NFd?: number;
  readonly NGoroutines?: number;
  readonly SystemTime?: string;
  readonly LoggingDriver?: string;
  readonly CgroupDriver?: string;
  readonly CgroupVersion?: string;
  readonly NEventsListener?: number;
  readonly KernelVersion?: string;
  readonly OperatingSystem?: string;
  readonly OSVersion?: string;
  readonly OSType?: string;
  readonly Architecture?: string;
  readonly NCPU?: number;
  readonly MemTotal?: number;
  readonly IndexServerAddress?: string;
  readonly RegistryConfig?: RegistryServiceConfig | null;
  readonly GenericResources?: GenericResources | null;
  readonly HttpProxy?: string;
  readonly HttpsProxy?: string;
  readonly NoProxy?: string;
  readonly Name?: string;
  readonly Labels?: readonly string[] | null;
  readonly ExperimentalBuild?: boolean;
  readonly ServerVersion?: string;
  readonly Runtimes?: Readonly<Record<string, Runtime>> | null;
  readonly DefaultRuntime?: string;
  readonly Swarm?: SwarmInfo | null;
  readonly LiveRestoreEnabled?: boolean;
  readonly Isolation?: string;
  readonly InitBinary?: string;
  readonly ContainerdCommit?: Commit | null;
  readonly RuncCommit?: Commit | null;
  readonly InitCommit?: Commit | null;
  readonly SecurityOptions?: readonly string[] | null;
  readonly ProductLicense?: string;
  readonly DefaultAddressPools?: readonly { readonly Base?: string; readonly Size?: number }[] | null;
  readonly FirewallBackend?: FirewallInfo | null;
  readonly DiscoveredDevices?: readonly DeviceInfo[] | null;
  readonly NRI?: NRIInfo | null;
  readonly Warnings?: readonly string[] | null;
  readonly CDISpecDirs?: readonly string[] | null;
  readonly Containerd?: ContainerdInfo | null;
  readonly KernelMemoryTCP?: boolean;
}

export interface SystemVersion {
  readonly Platform?: { readonly Name: string } | null;
  readonly Components?:
    readonly { readonly Name: string; readonly Version: string; readonly Details?: Readonly<Record<string, unknown>> | null }[] | null;
  readonly Version?: string;
  readonly ApiVersion?: string;
  readonly MinAPIVersion?: string;
  readonly GitCommit?: string;
  readonly GoVersion?: string;
  readonly Os?: string;
  readonly Arch?: string;
  readonly KernelVersion?: string;
  readonly Experimental?: boolean;
  readonly BuildTime?: string;
}

export interface TLSInfo {
  readonly TrustRoot?: string;
  readonly CertIssuerSubject?: string;
  readonly CertIssuerPublicKey?: string;
}

export interface TaskDefaults {
  readonly LogDriver?: Driver | null;
}

export interface VolumesDiskUsage {
  readonly ActiveCount?: number;
  readonly TotalCount?: number;
  readonly Reclaimable?: number;
  readonly TotalSize?: number;
  readonly Items?: readonly Volume[] | null;
}
