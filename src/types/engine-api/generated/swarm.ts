// Written by scripts/generate-engine-api.ts; do not edit.

import type { HealthConfig, Mount, Ulimit } from "./container.ts";
import type { Network } from "./network.ts";
import type { PluginPrivilege } from "./plugin.ts";
import type { ClusterInfo, Driver, GenericResources, SwarmSpec, TLSInfo } from "./system.ts";
import type { ObjectVersion } from "./volume.ts";

export interface AppArmorOptions {
  readonly Mode?: string;
}

export interface Config {
  readonly ID?: string;
  readonly Version?: ObjectVersion | null;
  readonly CreatedAt?: string;
  readonly UpdatedAt?: string;
  readonly Spec?: ConfigSpec | null;
}

export interface ConfigSpec {
  readonly Name?: string;
  readonly Labels?: Readonly<Record<string, string>> | null;
  readonly Data?: string;
  readonly Templating?: Driver | null;
}

export interface ContainerSpec {
  readonly Image?: string;
  readonly Labels?: Readonly<Record<string, string>> | null;
  readonly Command?: readonly string[] | null;
  readonly Args?: readonly string[] | null;
  readonly Hostname?: string;
  readonly Env?: readonly string[] | null;
  readonly Dir?: string;
  readonly User?: string;
  readonly Groups?: readonly string[] | null;
  readonly Privileges?: Privileges | null;
  readonly TTY?: boolean;
  readonly OpenStdin?: boolean;
  readonly ReadOnly?: boolean;
  readonly Mounts?: readonly Mount[] | null;
  readonly StopSignal?: string;
  readonly StopGracePeriod?: number | null;
  readonly HealthCheck?: HealthConfig | null;
  readonly Hosts?: readonly string[] | null;
  readonly DNSConfig?: DNSConfig | null;
  readonly Secrets?: readonly SecretReference[] | null;
  readonly OomScoreAdj?: number;
  readonly Configs?: readonly TaskConfigReference[] | null;
  readonly Isolation?: string;
  readonly Init?: boolean | null;
  readonly Sysctls?: Readonly<Record<string, string>> | null;
  readonly CapabilityAdd?: readonly string[] | null;
  readonly CapabilityDrop?: readonly string[] | null;
  readonly Ulimits?: readonly Ulimit[] | null;
}

export interface ContainerStatus {
  readonly ContainerID?: string;
  readonly PID?: number;
  readonly ExitCode?: number;
}

export interface CredentialSpec {
  readonly Config?: string;
  readonly File?: string;
  readonly Registry?: string;
}

export interface DNSConfig {
  readonly Nameservers?: readonly string[] | null;
  readonly Search?: readonly string[] | null;
  readonly Options?: readonly string[] | null;
}

export interface EndpointPortConfig {
  readonly Name?: string;
  readonly Protocol?: string;
  readonly TargetPort?: number;
  readonly PublishedPort?: number;
  readonly PublishMode?: string;
}

export interface EndpointSpec {
  readonly Mode?: string;
  readonly Ports?: readonly EndpointPortConfig[] | null;
}

export interface EngineDescription {
  readonly EngineVersion?: string;
  readonly Labels?: Readonly<Record<string, string>> | null;
  readonly Plugins?: readonly { readonly Type?: string; readonly Name?: string }[] | null;
}

export type GlobalJob = Readonly<Record<string, unknown>>;

export type GlobalService = Readonly<Record<string, unknown>>;

export interface JoinTokens {
  readonly Worker?: string;
  readonly Manager?: string;
}

export interface Limit {
  readonly NanoCPUs?: number;
  readonly MemoryBytes?: number;
  readonly Pids?: number;
}

export interface ManagerStatus {
  readonly Leader?: boolean;
  readonly Reachability?: Reachability;
  readonly Addr?: string;
}

export interface NetworkAttachment {
  readonly Network?: Network | null;
  readonly Addresses?: readonly string[] | null;
}

export interface NetworkAttachmentConfig {
  readonly Target?: string;
  readonly Aliases?: readonly string[] | null;
  readonly DriverOpts?: Readonly<Record<string, string>> | null;
}

export interface NetworkAttachmentSpec {
  readonly ContainerID?: string;
}

export interface Node {
  readonly ID?: string;
  readonly Version?: ObjectVersion | null;
  readonly CreatedAt?: string;
  readonly UpdatedAt?: string;
  readonly Spec?: NodeSpec | null;
  readonly Description?: NodeDescription | null;
  readonly Status?: NodeStatus | null;
  readonly ManagerStatus?: ManagerStatus | null;
}

export interface NodeDescription {
  readonly Hostname?: string;
  readonly Platform?: Platform | null;
  readonly Resources?: ResourceObject | null;
  readonly Engine?: EngineDescription | null;
  readonly TLSInfo?: TLSInfo | null;
}

export interface NodeSpec {
  readonly Name?: string;
  readonly Labels?: Readonly<Record<string, string>> | null;
  readonly Role?: string;
  readonly Availability?: string;
}

export type NodeState = string;

export interface NodeStatus {
  readonly State?: NodeState;
  readonly Message?: string;
  readonly Addr?: string;
}

export interface Placement {
  readonly Constraints?: readonly string[] | null;
  readonly Preferences?: readonly PlacementPreference[] | null;
  readonly MaxReplicas?: number;
  readonly Platforms?: readonly Platform[] | null;
}

export interface PlacementPreference {
  readonly Spread?: SpreadOver | null;
}

export interface Platform {
  readonly Architecture?: string;
  readonly OS?: string;
}

export interface PluginSpec {
  readonly Privileges?: readonly PluginPrivilege[] | null;
  readonly Name?: string;
  readonly Remote?: string;
  readonly Disabled?: boolean;
}

export interface PortStatus {
  readonly Ports?: readonly EndpointPortConfig[] | null;
}

export interface Privileges {
  readonly CredentialSpec?: CredentialSpec | null;
  readonly SELinuxContext?: SELinuxContext | null;
  readonly Seccomp?: SeccompOptions | null;
  readonly AppArmor?: AppArmorOptions | null;
  readonly NoNewPrivileges?: boolean;
}

export type Reachability = string;

export interface ReplicatedJob {
  readonly MaxConcurrent?: number | null;
  readonly TotalCompletions?: number | null;
}

export interface ReplicatedService {
  readonly Replicas?: number | null;
}

export interface ResourceObject {
  readonly NanoCPUs?: number;
  readonly MemoryBytes?: number;
  readonly GenericResources?: GenericResources | null;
}

export interface ResourceRequirements {
  readonly Limits?: Limit | null;
  readonly Reservations?: ResourceObject | null;
  readonly SwapBytes?: number | null;
  readonly MemorySwappiness?: number | null;
}

export interface SELinuxContext {
  readonly Disable?: boolean;
  readonly User?: string;
  readonly Role?: string;
  readonly Type?: string;
  readonly Level?: string;
}

export interface SeccompOptions {
  readonly Mode?: string;
  readonly Profile?: string;
}

export interface Secret {
  readonly ID?: string;
  readonly Version?: ObjectVersion | null;
  readonly CreatedAt?: string;
  readonly UpdatedAt?: string;
  readonly Spec?: SecretSpec | null;
}

export interface SecretReference {
  readonly File?: SecretReferenceFile | null;
  readonly SecretID?: string;
  readonly SecretName?: string;
}

export interface SecretReferenceFile {
  readonly Name?: string;
  readonly UID?: string;
  readonly GID?: string;
  readonly Mode?: number;
}

export interface SecretSpec {
  readonly Name?: string;
  readonly Labels?: Readonly<Record<string, string>> | null;
  readonly Data?: string;
  readonly Driver?: Driver | null;
  readonly Templating?: Driver | null;
}

export interface Service {
  readonly ID?: string;
  readonly Version?: ObjectVersion | null;
  readonly CreatedAt?: string;
  readonly UpdatedAt?: string;
  readonly Spec?: ServiceSpec | null;
  readonly Endpoint?: {
    readonly Spec?: EndpointSpec | null;
    readonly Ports?: readonly EndpointPortConfig[] | null;
    readonly VirtualIPs?: readonly { readonly NetworkID?: string; readonly Addr?: string }[] | null;
  } | null;
  readonly UpdateStatus?: {
    readonly State?: string;
    readonly StartedAt?: string;
    readonly CompletedAt?: string;
    readonly Message?: string;
  } | null;
  readonly ServiceStatus?: { readonly RunningTasks?: number; readonly DesiredTasks?: number; readonly CompletedTasks?: number } | null;
  readonly JobStatus?: { readonly JobIteration?: ObjectVersion | null; readonly LastExecution?: string } | null;
}

export interface ServiceCreateResponse {
  readonly ID?: string;
  readonly Warnings?: readonly string[] | null;
}

export interface ServiceMode {
  readonly Replicated?: ReplicatedService | null;
  readonly Global?: GlobalService | null;
  readonly ReplicatedJob?: ReplicatedJob | null;
  readonly GlobalJob?: GlobalJob | null;
}

export interface ServiceSpec {
  readonly Name?: string;
  readonly Labels?: Readonly<Record<string, string>> | null;
  readonly TaskTemplate?: TaskSpec | null;
  readonly Mode?: ServiceMode | null;
  readonly UpdateConfig?: UpdateConfig | null;
  readonly RollbackConfig?: UpdateConfig | null;
  readonly Networks?: readonly NetworkAttachmentConfig[] | null;
  readonly EndpointSpec?: EndpointSpec | null;
}

export interface ServiceUpdateResponse {
  readonly Warnings?: readonly string[] | null;
}

export interface SpreadOver {
  readonly SpreadDescriptor?: string;
}

export interface Swarm extends ClusterInfo {
  readonly JoinTokens?: JoinTokens | null;
}

export interface SwarmInitRequest {
  readonly ListenAddr?: string;
  readonly AdvertiseAddr?: string;
  readonly DataPathAddr?: string;
  readonly DataPathPort?: number;
  readonly DefaultAddrPool?: readonly string[] | null;
  readonly ForceNewCluster?: boolean;
  readonly SubnetSize?: number;
  readonly Spec?: SwarmSpec | null;
  readonly AutoLockManagers?: boolean;
  readonly Availability?: string;
}

export interface SwarmJoinRequest {
  readonly ListenAddr: string;
  readonly AdvertiseAddr?: string;
  readonly DataPathAddr?: string;
  readonly RemoteAddrs: readonly string[];
  readonly JoinToken: string;
  readonly Availability?: string;
}

export interface SwarmUnlockRequest {
  readonly UnlockKey?: string;
}

export interface Task {
  readonly ID?: string;
  readonly Version?: ObjectVersion | null;
  readonly CreatedAt?: string;
  readonly UpdatedAt?: string;
  readonly Name?: string;
  readonly Labels?: Readonly<Record<string, string>> | null;
  readonly Spec?: TaskSpec | null;
  readonly ServiceID?: string;
  readonly Slot?: number;
  readonly NodeID?: string;
  readonly AssignedGenericResources?: GenericResources | null;
  readonly Status?: TaskStatus | null;
  readonly DesiredState?: TaskState;
  readonly JobIteration?: ObjectVersion | null;
  readonly NetworksAttachments?: readonly NetworkAttachment[] | null;
}

export interface TaskConfigReference {
  readonly File?: TaskConfigReferenceFile | null;
  readonly Runtime?: TaskConfigReferenceRuntime | null;
  readonly ConfigID?: string;
  readonly ConfigName?: string;
}

export interface TaskConfigReferenceFile {
  readonly Name?: string;
  readonly UID?: string;
  readonly GID?: string;
  readonly Mode?: number;
}

export type TaskConfigReferenceRuntime = Readonly<Record<string, unknown>>;

export interface TaskRestartPolicy {
  readonly Condition?: string;
  readonly Delay?: number | null;
  readonly MaxAttempts?: number | null;
  readonly Window?: number | null;
}

export interface TaskSpec {
  readonly PluginSpec?: PluginSpec | null;
  readonly ContainerSpec?: ContainerSpec | null;
  readonly NetworkAttachmentSpec?: NetworkAttachmentSpec | null;
  readonly Resources?: ResourceRequirements | null;
  readonly RestartPolicy?: TaskRestartPolicy | null;
  readonly Placement?: Placement | null;
  readonly ForceUpdate?: number;
  readonly Runtime?: string;
  readonly Networks?: readonly NetworkAttachmentConfig[] | null;
  readonly LogDriver?: Driver | null;
}

export type TaskState = string;

export interface TaskStatus {
  readonly Timestamp?: string;
  readonly State?: TaskState;
  readonly Message?: string;
  readonly Err?: string;
  readonly ContainerStatus?: ContainerStatus | null;
  readonly PortStatus?: PortStatus | null;
}

export interface UnlockKeyResponse {
  readonly UnlockKey?: string;
}

export interface UpdateConfig {
  readonly Parallelism?: number;
  readonly Delay?: number;
  readonly FailureAction?: string;
  readonly Monitor?: number;
  readonly MaxFailureRatio?: number;
  readonly Order?: string;
}
