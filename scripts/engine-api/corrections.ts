// What the API files leave out, or have wrong: found by comparing them with dockerd 28.5.
import type { Schema } from "./document.ts";

const text: Schema = { type: "string" };
const flag: Schema = { type: "boolean" };
const int64: Schema = { type: "integer", format: "int64" };
const emptyObject: Schema = { type: "object", properties: {} };

/** Names of older versions that live on under a new name. */
export const renamed: Readonly<Record<string, string>> = {
  Port: "PortSummary",
  VolumeCreateOptions: "VolumeCreateRequest",
  NetworkContainer: "EndpointResource",
  SystemAuthResponse: "AuthResponse",
};

/** Types the file leaves open or has wrong; places as in `inlineNames`. */
export const corrected: Readonly<Record<string, Schema>> = {
  "ImagesDiskUsage.Items[]": { $ref: "ImageSummary" },
  "ContainersDiskUsage.Items[]": { $ref: "ContainerSummary" },
  "VolumesDiskUsage.Items[]": { $ref: "Volume" },
  "BuildCacheDiskUsage.Items[]": { $ref: "BuildCache" },
  "NetworkInspect.Services": { type: "object", additionalProperties: { $ref: "ServiceInfo" } },
  "ExecInspectResponse.ExitCode": { type: "integer", "x-nullable": true },
};

/** Fields the file has in the wrong place, or under a wrong name. */
export const removed: ReadonlySet<string> = new Set(["Resources.Init", "PluginSpec.PluginPrivilege"]);

/** Fields the file shows one object too deep. */
export const moved: Readonly<Record<string, { readonly from: string; readonly fields: readonly string[] }>> = {
  ClusterVolumeSpec: { from: "AccessMode", fields: ["Secrets", "AccessibilityRequirements", "CapacityRange", "Availability"] },
};

/** Fields that dockerd 28.5 reads or writes and no version of the file names. */
export const unlisted: Readonly<Record<string, Readonly<Record<string, Schema>>>> = {
  Resources: { KernelMemory: int64 },
  HostConfig: { Init: { type: "boolean", "x-nullable": true } },
  PluginSpec: { Privileges: { type: "array", items: { $ref: "#/definitions/PluginPrivilege" } } },
  AuthConfig: { auth: text, identitytoken: text, registrytoken: text },
  Mount: { ClusterOptions: emptyObject },
  ExecConfig: { Detach: flag },
  NetworkCreateRequest: { CheckDuplicate: flag },
  SwarmInitRequest: { AutoLockManagers: flag, Availability: text },
  SwarmJoinRequest: { Availability: text },
  EventMessage: { status: text, id: text, from: text },
};

/** Objects without a name of their own in the file: place → name of the type. `[]` is the element of a list. */
export const inlineNames: Readonly<Record<string, string>> = {
  "Resources.BlkioWeightDevice[]": "WeightDevice",
  "Resources.Ulimits[]": "Ulimit",
  "HostConfig.LogConfig": "LogConfig",
  "Mount.BindOptions": "MountBindOptions",
  "Mount.VolumeOptions": "MountVolumeOptions",
  "MountVolumeOptions.DriverConfig": "MountDriverConfig",
  "Mount.ImageOptions": "MountImageOptions",
  "Mount.TmpfsOptions": "MountTmpfsOptions",
  "Mount.ClusterOptions": "MountClusterOptions",
  "ClusterVolumeSpec.AccessMode": "ClusterVolumeAccessMode",
  "ClusterVolumeAccessMode.MountVolume": "ClusterVolumeMount",
  "ClusterVolumeSpec.Secrets[]": "ClusterVolumeSecret",
  "ClusterVolumeSpec.AccessibilityRequirements": "TopologyRequirement",
  "ClusterVolumeSpec.CapacityRange": "CapacityRange",
  "SwarmSpec.Orchestration": "OrchestrationConfig",
  "SwarmSpec.Raft": "RaftConfig",
  "SwarmSpec.Dispatcher": "DispatcherConfig",
  "SwarmSpec.CAConfig": "CAConfig",
  "CAConfig.ExternalCAs[]": "ExternalCA",
  "SwarmSpec.EncryptionConfig": "EncryptionConfig",
  "SwarmSpec.TaskDefaults": "TaskDefaults",
  "TaskDefaults.LogDriver": "Driver",
  "ServiceSpec.Mode": "ServiceMode",
  "ServiceMode.Replicated": "ReplicatedService",
  "ServiceMode.Global": "GlobalService",
  "ServiceMode.ReplicatedJob": "ReplicatedJob",
  "ServiceMode.GlobalJob": "GlobalJob",
  "ServiceSpec.UpdateConfig": "UpdateConfig",
  "ServiceSpec.RollbackConfig": "UpdateConfig",
  "TaskSpec.PluginSpec": "PluginSpec",
  "TaskSpec.ContainerSpec": "ContainerSpec",
  "ContainerSpec.Privileges": "Privileges",
  "Privileges.CredentialSpec": "CredentialSpec",
  "Privileges.SELinuxContext": "SELinuxContext",
  "Privileges.Seccomp": "SeccompOptions",
  "Privileges.AppArmor": "AppArmorOptions",
  "ContainerSpec.DNSConfig": "DNSConfig",
  "ContainerSpec.Secrets[]": "SecretReference",
  "SecretReference.File": "SecretReferenceFile",
  "ContainerSpec.Configs[]": "TaskConfigReference",
  "TaskConfigReference.File": "TaskConfigReferenceFile",
  "TaskConfigReference.Runtime": "TaskConfigReferenceRuntime",
  "ContainerSpec.Ulimits[]": "Ulimit",
  "TaskSpec.NetworkAttachmentSpec": "NetworkAttachmentSpec",
  "TaskSpec.Resources": "ResourceRequirements",
  "TaskSpec.RestartPolicy": "TaskRestartPolicy",
  "TaskSpec.Placement": "Placement",
  "Placement.Preferences[]": "PlacementPreference",
  "PlacementPreference.Spread": "SpreadOver",
  "TaskSpec.LogDriver": "Driver",
  "GenericResources[]": "GenericResource",
  "GenericResource.NamedResourceSpec": "NamedGenericResource",
  "GenericResource.DiscreteResourceSpec": "DiscreteGenericResource",
};

/** Type of the body in each operation, where the file does not name it. */
export const bodyNames: Readonly<Record<string, string>> = {
  ContainerCreate: "ContainerCreateRequest",
  ContainerUpdate: "ContainerUpdateRequest",
  // dockerd reads the body of a commit as that of a create, and takes the config.
  ImageCommit: "ContainerCreateRequest",
  VolumeUpdate: "VolumeUpdateRequest",
  ServiceCreate: "ServiceSpec",
  ServiceUpdate: "ServiceSpec",
  SecretCreate: "SecretSpec",
  ConfigCreate: "ConfigSpec",
};
