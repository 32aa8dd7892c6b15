// Writes src/types/engine-api/generated/ and src/api/decode/generated/schema.ts from OpenAPI files of the Docker Engine API.
// Run by hand, newest file first; later files add what clients of older versions still send or read:
//   bun scripts/generate-engine-api.ts engine-api-v1.56.yaml engine-api-v1.51.yaml
// Only names, types and Go's type names come out: facts of the wire, no text of the files.
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { parse } from "yaml";

interface Schema {
  readonly $ref?: string;
  readonly type?: string;
  readonly format?: string;
  readonly title?: string;
  readonly enum?: readonly unknown[];
  readonly items?: Schema;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: Schema | boolean;
  readonly allOf?: readonly Schema[];
  readonly required?: readonly string[];
  readonly "x-nullable"?: boolean;
}
interface Operation {
  readonly operationId: string;
  readonly tags?: readonly string[];
  readonly parameters?: readonly { readonly in: string; readonly schema?: Schema }[];
  readonly responses: Readonly<Record<string, { readonly schema?: Schema }>>;
}
interface Document {
  readonly definitions: Readonly<Record<string, Schema>>;
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
}
type Definitions = Record<string, Schema>;

const root = resolve(import.meta.dir, "..");
const typesFolder = join(root, "src/types/engine-api/generated");
const schemaFolder = join(root, "src/api/decode/generated");

const text: Schema = { type: "string" };
const flag: Schema = { type: "boolean" };
const int64: Schema = { type: "integer", format: "int64" };
const emptyObject: Schema = { type: "object", properties: {} };

/** Names of older versions that live on under a new name. */
const renamed: Readonly<Record<string, string>> = {
  Port: "PortSummary",
  VolumeCreateOptions: "VolumeCreateRequest",
  NetworkContainer: "EndpointResource",
};

/** Fields that dockerd 28.5 reads or writes and no version of the file names. */
const unlisted: Readonly<Record<string, Readonly<Record<string, Schema>>>> = {
  Resources: { KernelMemory: int64 },
  AuthConfig: { auth: text, identitytoken: text, registrytoken: text },
  Mount: { ClusterOptions: emptyObject },
  ExecConfig: { Detach: flag },
  NetworkCreateRequest: { CheckDuplicate: flag },
  SwarmInitRequest: { AutoLockManagers: flag, Availability: text },
  SwarmJoinRequest: { Availability: text },
  EventMessage: { status: text, id: text, from: text },
};

/** Objects without a name of their own in the file: place → name of the type. `[]` is the element of a list. */
const inlineNames: Readonly<Record<string, string>> = {
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
  "ClusterVolumeAccessMode.Secrets[]": "ClusterVolumeSecret",
  "ClusterVolumeSpec.AccessibilityRequirements": "TopologyRequirement",
  "ClusterVolumeAccessMode.AccessibilityRequirements": "TopologyRequirement",
  "ClusterVolumeSpec.CapacityRange": "CapacityRange",
  "ClusterVolumeAccessMode.CapacityRange": "CapacityRange",
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
const bodyNames: Readonly<Record<string, string>> = {
  ContainerCreate: "ContainerCreateRequest",
  ContainerUpdate: "ContainerUpdateRequest",
  VolumeUpdate: "VolumeUpdateRequest",
  ServiceCreate: "ServiceSpec",
  ServiceUpdate: "ServiceSpec",
  SecretCreate: "SecretSpec",
  ConfigCreate: "ConfigSpec",
};

/** Go's name of each type that occurs in a request body; dockerd's error texts quote it. */
const goNames: Readonly<Record<string, string>> = {
  ContainerCreateRequest: "container.CreateRequest",
  ContainerUpdateRequest: "container.UpdateConfig",
  ContainerConfig: "container.Config",
  HealthConfig: "container.HealthConfig",
  HostConfig: "container.HostConfig",
  Resources: "container.Resources",
  RestartPolicy: "container.RestartPolicy",
  DeviceMapping: "container.DeviceMapping",
  DeviceRequest: "container.DeviceRequest",
  LogConfig: "container.LogConfig",
  ThrottleDevice: "blkiodev.ThrottleDevice",
  WeightDevice: "blkiodev.WeightDevice",
  Ulimit: "units.Ulimit",
  PortMap: "nat.PortMap",
  PortBinding: "nat.PortBinding",
  Mount: "mount.Mount",
  MountType: "mount.Type",
  MountBindOptions: "mount.BindOptions",
  MountVolumeOptions: "mount.VolumeOptions",
  MountDriverConfig: "mount.Driver",
  MountImageOptions: "mount.ImageOptions",
  MountTmpfsOptions: "mount.TmpfsOptions",
  MountClusterOptions: "mount.ClusterOptions",
  NetworkingConfig: "network.NetworkingConfig",
  EndpointSettings: "network.EndpointSettings",
  EndpointIPAMConfig: "network.EndpointIPAMConfig",
  ExecConfig: "container.ExecOptions",
  ExecStartConfig: "container.ExecStartOptions",
  AuthConfig: "registry.AuthConfig",
  NetworkCreateRequest: "network.CreateRequest",
  NetworkConnectRequest: "network.ConnectOptions",
  NetworkDisconnectRequest: "network.DisconnectOptions",
  ConfigReference: "network.ConfigReference",
  IPAM: "network.IPAM",
  IPAMConfig: "network.IPAMConfig",
  VolumeCreateRequest: "volume.CreateOptions",
  VolumeUpdateRequest: "volume.UpdateOptions",
  ClusterVolumeSpec: "volume.ClusterVolumeSpec",
  ClusterVolumeAccessMode: "volume.AccessMode",
  ClusterVolumeMount: "volume.TypeMount",
  ClusterVolumeSecret: "volume.Secret",
  TopologyRequirement: "volume.TopologyRequirement",
  CapacityRange: "volume.CapacityRange",
  Topology: "volume.Topology",
  PluginPrivilege: "types.PluginPrivilege",
  NodeSpec: "swarm.NodeSpec",
  SwarmInitRequest: "swarm.InitRequest",
  SwarmJoinRequest: "swarm.JoinRequest",
  SwarmUnlockRequest: "swarm.UnlockRequest",
  SwarmSpec: "swarm.Spec",
  SeccompOptions: "swarm.SeccompOpts",
  AppArmorOptions: "swarm.AppArmorOpts",
  SecretReferenceFile: "swarm.SecretReferenceFileTarget",
  TaskConfigReference: "swarm.ConfigReference",
  TaskConfigReferenceFile: "swarm.ConfigReferenceFileTarget",
  TaskConfigReferenceRuntime: "swarm.ConfigReferenceRuntimeTarget",
  TaskRestartPolicy: "swarm.RestartPolicy",
  EndpointPortConfig: "swarm.PortConfig",
  ResourceObject: "swarm.Resources",
  PluginSpec: "runtime.PluginSpec",
};

/** Go types of fields that do not follow from the file: `*` is a pointer (null unsets it), a dotted name a type of its own. */
const goFields: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  ContainerConfig: {
    ExposedPorts: "nat.PortSet",
    Cmd: "strslice.StrSlice",
    Entrypoint: "strslice.StrSlice",
    Shell: "strslice.StrSlice",
    Healthcheck: "*container.HealthConfig",
    StopTimeout: "*int",
  },
  ContainerCreateRequest: { HostConfig: "*container.HostConfig", NetworkingConfig: "*network.NetworkingConfig" },
  HealthConfig: {
    Interval: "time.Duration",
    Timeout: "time.Duration",
    StartPeriod: "time.Duration",
    StartInterval: "time.Duration",
  },
  HostConfig: {
    NetworkMode: "container.NetworkMode",
    ConsoleSize: "[2]uint",
    CapAdd: "strslice.StrSlice",
    CapDrop: "strslice.StrSlice",
    CgroupnsMode: "container.CgroupnsMode",
    IpcMode: "container.IpcMode",
    Cgroup: "container.CgroupSpec",
    PidMode: "container.PidMode",
    UTSMode: "container.UTSMode",
    UsernsMode: "container.UsernsMode",
    Isolation: "container.Isolation",
  },
  Resources: {
    CpuShares: "int64",
    BlkioWeight: "uint16",
    BlkioWeightDevice: "[]*blkiodev.WeightDevice",
    BlkioDeviceReadBps: "[]*blkiodev.ThrottleDevice",
    BlkioDeviceWriteBps: "[]*blkiodev.ThrottleDevice",
    BlkioDeviceReadIOps: "[]*blkiodev.ThrottleDevice",
    BlkioDeviceWriteIOps: "[]*blkiodev.ThrottleDevice",
    MemorySwappiness: "*int64",
    OomKillDisable: "*bool",
    Init: "*bool",
    PidsLimit: "*int64",
    Ulimits: "[]*units.Ulimit",
    IOMaximumIOps: "uint64",
    IOMaximumBandwidth: "uint64",
  },
  RestartPolicy: { Name: "container.RestartPolicyMode" },
  WeightDevice: { Weight: "uint16" },
  ThrottleDevice: { Rate: "uint64" },
  Ulimit: { Soft: "int64", Hard: "int64" },
  Mount: {
    Consistency: "mount.Consistency",
    BindOptions: "*mount.BindOptions",
    VolumeOptions: "*mount.VolumeOptions",
    ImageOptions: "*mount.ImageOptions",
    TmpfsOptions: "*mount.TmpfsOptions",
    ClusterOptions: "*mount.ClusterOptions",
  },
  MountBindOptions: { Propagation: "mount.Propagation" },
  MountVolumeOptions: { DriverConfig: "*mount.Driver" },
  MountTmpfsOptions: { Mode: "fs.FileMode" },
  NetworkingConfig: { EndpointsConfig: "map[string]*network.EndpointSettings" },
  EndpointSettings: { IPAMConfig: "*network.EndpointIPAMConfig", GwPriority: "int", GlobalIPv6PrefixLen: "int" },
  ExecConfig: { ConsoleSize: "*[2]uint" },
  ExecStartConfig: { ConsoleSize: "*[2]uint" },
  NetworkCreateRequest: {
    ConfigFrom: "*network.ConfigReference",
    IPAM: "*network.IPAM",
    EnableIPv4: "*bool",
    EnableIPv6: "*bool",
    CheckDuplicate: "*bool",
  },
  NetworkConnectRequest: { EndpointConfig: "*network.EndpointSettings" },
  IPAMConfig: { AuxiliaryAddresses: "map[string]string" },
  VolumeCreateRequest: { ClusterVolumeSpec: "*volume.ClusterVolumeSpec" },
  VolumeUpdateRequest: { Spec: "*volume.ClusterVolumeSpec" },
  ClusterVolumeSpec: {
    AccessMode: "*volume.AccessMode",
    AccessibilityRequirements: "*volume.TopologyRequirement",
    CapacityRange: "*volume.CapacityRange",
    Availability: "volume.Availability",
  },
  ClusterVolumeAccessMode: { Scope: "volume.Scope", Sharing: "volume.SharingMode", MountVolume: "*volume.TypeMount" },
  NodeSpec: { Role: "swarm.NodeRole", Availability: "swarm.NodeAvailability" },
  SwarmInitRequest: { Availability: "swarm.NodeAvailability" },
  SwarmJoinRequest: { Availability: "swarm.NodeAvailability" },
  OrchestrationConfig: { TaskHistoryRetentionLimit: "*int64" },
  RaftConfig: { KeepOldSnapshots: "*uint64" },
  DispatcherConfig: { HeartbeatPeriod: "time.Duration" },
  CAConfig: { NodeCertExpiry: "time.Duration", ExternalCAs: "[]*swarm.ExternalCA" },
  ExternalCA: { Protocol: "swarm.ExternalCAProtocol" },
  TaskDefaults: { LogDriver: "*swarm.Driver" },
  ServiceSpec: {
    UpdateConfig: "*swarm.UpdateConfig",
    RollbackConfig: "*swarm.UpdateConfig",
    EndpointSpec: "*swarm.EndpointSpec",
  },
  ServiceMode: {
    Replicated: "*swarm.ReplicatedService",
    Global: "*swarm.GlobalService",
    ReplicatedJob: "*swarm.ReplicatedJob",
    GlobalJob: "*swarm.GlobalJob",
  },
  ReplicatedService: { Replicas: "*uint64" },
  ReplicatedJob: { MaxConcurrent: "*uint64", TotalCompletions: "*uint64" },
  UpdateConfig: { Parallelism: "uint64", Delay: "time.Duration", Monitor: "time.Duration", MaxFailureRatio: "float32" },
  TaskSpec: {
    ContainerSpec: "*swarm.ContainerSpec",
    PluginSpec: "*runtime.PluginSpec",
    NetworkAttachmentSpec: "*swarm.NetworkAttachmentSpec",
    Resources: "*swarm.ResourceRequirements",
    RestartPolicy: "*swarm.RestartPolicy",
    Placement: "*swarm.Placement",
    LogDriver: "*swarm.Driver",
    Runtime: "swarm.RuntimeType",
  },
  ContainerSpec: {
    Privileges: "*swarm.Privileges",
    StopGracePeriod: "*time.Duration",
    HealthCheck: "*container.HealthConfig",
    DNSConfig: "*swarm.DNSConfig",
    Secrets: "[]*swarm.SecretReference",
    Configs: "[]*swarm.ConfigReference",
    Isolation: "container.Isolation",
    Init: "*bool",
    Ulimits: "[]*units.Ulimit",
  },
  Privileges: {
    CredentialSpec: "*swarm.CredentialSpec",
    SELinuxContext: "*swarm.SELinuxContext",
    Seccomp: "*swarm.SeccompOpts",
    AppArmor: "*swarm.AppArmorOpts",
  },
  SeccompOptions: { Mode: "swarm.SeccompMode", Profile: "[]uint8" },
  AppArmorOptions: { Mode: "swarm.AppArmorMode" },
  SecretReference: { File: "*swarm.SecretReferenceFileTarget" },
  SecretReferenceFile: { Mode: "fs.FileMode" },
  TaskConfigReference: { File: "*swarm.ConfigReferenceFileTarget", Runtime: "*swarm.ConfigReferenceRuntimeTarget" },
  TaskConfigReferenceFile: { Mode: "fs.FileMode" },
  ResourceRequirements: {
    Limits: "*swarm.Limit",
    Reservations: "*swarm.Resources",
    SwapBytes: "*int64",
    MemorySwappiness: "*int64",
  },
  GenericResource: { NamedResourceSpec: "*swarm.NamedGenericResource", DiscreteResourceSpec: "*swarm.DiscreteGenericResource" },
  TaskRestartPolicy: {
    Condition: "swarm.RestartPolicyCondition",
    Delay: "*time.Duration",
    MaxAttempts: "*uint64",
    Window: "*time.Duration",
  },
  Placement: { MaxReplicas: "uint64" },
  PlacementPreference: { Spread: "*swarm.SpreadOver" },
  EndpointSpec: { Mode: "swarm.ResolutionMode" },
  EndpointPortConfig: {
    Protocol: "swarm.PortConfigProtocol",
    TargetPort: "uint32",
    PublishedPort: "uint32",
    PublishMode: "swarm.PortConfigPublishMode",
  },
  SecretSpec: { Data: "[]uint8", Driver: "*swarm.Driver", Templating: "*swarm.Driver" },
  ConfigSpec: { Data: "[]uint8", Templating: "*swarm.Driver" },
  PluginSpec: { PluginPrivilege: "[]*runtime.PluginPrivilege" },
};

/** Go types that are not structs, and structs that only Go tells apart. */
const goDefinitions: Readonly<Record<string, string>> = {
  "nat.PortSet": "map[nat.Port]struct {}",
  "nat.PortMap": "map[nat.Port][]nat.PortBinding",
  "time.Duration": "int64",
  "fs.FileMode": "uint32",
  "runtime.PluginPrivilege": "types.PluginPrivilege",
};

/** JSON that comes in headers and query parameters: name → TypeScript type and Go type. */
const otherInputs: Readonly<Record<string, { readonly type: string; readonly go: string }>> = {
  RegistryAuth: { type: "AuthConfig", go: "registry.AuthConfig" },
  RegistryConfig: { type: "Readonly<Record<string, AuthConfig>>", go: "map[string]registry.AuthConfig" },
  BuildArguments: { type: "Readonly<Record<string, string | null>>", go: "map[string]*string" },
  BuildLabels: { type: "Readonly<Record<string, string>>", go: "map[string]string" },
  BuildUlimits: { type: "readonly Ulimit[]", go: "[]*units.Ulimit" },
  BuildCacheFrom: { type: "readonly string[]", go: "[]string" },
  Platform: { type: "OCIPlatform", go: "v1.Platform" },
};
const otherStructs: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  "v1.Platform": { architecture: "string", os: "string", "os.version": "string", "os.features": "[]string", variant: "string" },
};

const groups = ["container", "exec", "image", "network", "volume", "system", "distribution", "session", "plugin", "swarm", "node", "service", "task", "secret", "config"];
const swarmGroups = new Set(["swarm", "node", "service", "task", "secret", "config"]);

// ---- reading

function refName(schema: Schema): string | undefined {
  const name = schema.$ref?.replace("#/definitions/", "");
  return name === undefined ? undefined : (renamed[name] ?? name);
}

const byMethod = (document: Document): Operation[] => Object.values(document.paths).flatMap((methods) => Object.values(methods));

function bodyOf(operation: Operation): Schema | undefined {
  const schema = operation.parameters?.find((parameter) => parameter.in === "body")?.schema;
  return schema && schema.format !== "binary" && schema.type !== "string" ? schema : undefined;
}

function bodyName(operation: Operation, schema: Schema): string {
  return bodyNames[operation.operationId] ?? refName(schema) ?? schema.title ?? `${operation.operationId}Request`;
}

/** The JSON bodies of an operation that have no definition of their own, by name. */
function inlineBodies(operation: Operation): [string, Schema][] {
  const found: [string, Schema][] = [];
  const body = bodyOf(operation);
  if (body && !body.$ref && body.type !== "array") found.push([bodyName(operation, body), body]);
  for (const [status, { schema }] of Object.entries(operation.responses)) {
    const element = schema?.type === "array" ? schema.items : schema;
    if (!/^2/.test(status) || !element || element.$ref || !element.properties) continue;
    found.push([element.title ?? `${operation.operationId}Response`, element]);
  }
  return found;
}

/** All definitions of all documents; fields that only a later document has become optional ones. */
function mergeDocuments(documents: readonly Document[]): Definitions {
  const definitions: Definitions = {};
  for (const document of documents) {
    const inline = byMethod(document).flatMap(inlineBodies);
    for (const [name, schema] of [...Object.entries(document.definitions), ...inline]) {
      if (name in renamed) continue;
      const known = definitions[name];
      definitions[name] = known ? mergeSchemas(known, schema) : schema;
    }
  }
  for (const [name, properties] of Object.entries(unlisted)) {
    definitions[name] = mergeSchemas(definitions[name] ?? { type: "object" }, { properties });
  }
  return definitions;
}

function mergeSchemas(known: Schema, other: Schema): Schema {
  const mine = ownProperties(known);
  const missing = Object.entries(ownProperties(other)).filter(([name]) => !(name in mine));
  if (missing.length === 0) return known;
  return { ...known, properties: { ...known.properties, ...Object.fromEntries(missing) } };
}

function ownProperties(schema: Schema): Record<string, Schema> {
  const parts = (schema.allOf ?? []).filter((part) => !part.$ref).map(ownProperties);
  return Object.assign({}, ...parts, schema.properties) as Record<string, Schema>;
}

/** Gives the objects of `inlineNames` definitions of their own. */
function hoistInline(definitions: Definitions): void {
  const hoist = (schema: Schema, place: string): Schema => {
    const name = inlineNames[place];
    if (!name || schema.$ref) return descend(schema, place);
    const known = definitions[name];
    definitions[name] = descend(known ? mergeSchemas(known, schema) : schema, name);
    return { $ref: `#/definitions/${name}`, ...(schema["x-nullable"] === undefined ? {} : { "x-nullable": schema["x-nullable"] }) };
  };
  const descend = (schema: Schema, place: string): Schema => ({
    ...schema,
    ...(schema.properties && {
      properties: Object.fromEntries(Object.entries(schema.properties).map(([name, value]) => [name, hoist(value, `${place}.${name}`)])),
    }),
    ...(schema.items && { items: hoist(schema.items, `${place}[]`) }),
    ...(schema.allOf && { allOf: schema.allOf.map((part) => descend(part, place)) }),
  });
  for (const name of Object.keys(definitions)) definitions[name] = descend(definitions[name] ?? {}, name);
}

// ---- TypeScript

const identifier = (name: string): string => (/^[A-Za-z_$][\w$]*$/.test(name) ? name : JSON.stringify(name));

function typeOf(schema: Schema): string {
  const single = schema.allOf?.length === 1 ? schema.allOf[0] : undefined;
  const name = refName(schema) ?? (single && refName(single));
  if (name) return name;
  switch (schema.type) {
    case "string":
      return "string";
    case "boolean":
      return "boolean";
    case "integer":
    case "number":
      return "number";
    case "array": {
      const element = schema.items ? nullable(typeOf(schema.items), schema.items) : "unknown";
      return `readonly ${/[ |]/.test(element) && !element.startsWith("{") ? `(${element})` : element}[]`;
    }
    default:
      return objectType(schema);
  }
}

function objectType(schema: Schema): string {
  const { properties, additionalProperties } = schema;
  if (properties && Object.keys(properties).length > 0) return `{ ${membersOf(schema).join(" ")} }`;
  if (typeof additionalProperties === "object") {
    const isSet = additionalProperties.type === "object" && !additionalProperties.properties && !additionalProperties.additionalProperties;
    const value = isSet ? "EmptyObject" : nullable(typeOf(additionalProperties), additionalProperties);
    return `Readonly<Record<string, ${value}>>`;
  }
  return properties ? "EmptyObject" : "Readonly<Record<string, unknown>>";
}

const nullable = (type: string, schema: Schema): string => (schema["x-nullable"] ? `${type} | null` : type);

/** Go writes null for a list, a map or a pointer that is not set, whatever the file says. */
function isNilable(type: string, definitions: Definitions | undefined): boolean {
  if (/^(readonly |Readonly<|\{)/.test(type)) return true;
  const definition = definitions?.[type];
  return definition !== undefined && !["string", "integer"].includes(definition.type ?? "object");
}

let nilable: Definitions | undefined;

function membersOf(schema: Schema): string[] {
  return Object.entries(ownProperties(schema)).map(([name, property]) => {
    const required = schema.required?.includes(name) ?? false;
    const type = typeOf(property);
    const orNull = property["x-nullable"] || (!required && isNilable(type, nilable)) ? " | null" : "";
    return `readonly ${identifier(name)}${required ? "" : "?"}: ${type}${orNull};`;
  });
}

function declaration(name: string, schema: Schema): string {
  const bases = (schema.allOf ?? []).map(refName).filter((base) => base !== undefined);
  const members = membersOf(schema);
  if (members.length === 0 && bases.length === 1) return `export type ${name} = ${bases[0]};\n`;
  if (members.length === 0 && bases.length === 0) return `export type ${name} = ${typeOf(schema)};\n`;
  const heritage = bases.length > 0 ? ` extends ${bases.join(", ")}` : "";
  return `export interface ${name}${heritage} {\n${members.map((member) => `  ${member}\n`).join("")}}\n`;
}

function refsIn(schema: Schema): string[] {
  const own = refName(schema);
  const parts = [...Object.values(schema.properties ?? {}), ...(schema.allOf ?? [])];
  if (schema.items) parts.push(schema.items);
  if (typeof schema.additionalProperties === "object") parts.push(schema.additionalProperties);
  return [...(own ? [own] : []), ...parts.flatMap(refsIn)];
}

/** Definition → the first group whose operations reach it. */
function groupOfDefinitions(documents: readonly Document[], definitions: Definitions): Map<string, string> {
  const groupOf = new Map<string, string>();
  const mark = (name: string, group: string): void => {
    if (groupOf.has(name) || !definitions[name]) return;
    groupOf.set(name, group);
    for (const other of refsIn(definitions[name])) mark(other, group);
  };
  const operations = documents.flatMap(byMethod);
  for (const group of groups) {
    for (const operation of operations.filter(({ tags }) => tags?.[0]?.toLowerCase() === group)) {
      const file = swarmGroups.has(group) ? "swarm" : group;
      const schemas = [bodyOf(operation), ...Object.values(operation.responses).map(({ schema }) => schema)];
      for (const name of inlineBodies(operation).map(([inline]) => inline)) mark(name, file);
      for (const schema of schemas) for (const name of schema ? refsIn(schema) : []) mark(name, file);
    }
  }
  for (const name of Object.keys(definitions)) mark(name, "common");
  return groupOf;
}

const banner = "// Written by scripts/generate-engine-api.ts; do not edit.\n";

function writeTypes(documents: readonly Document[], definitions: Definitions): void {
  nilable = definitions;
  const groupOf = groupOfDefinitions(documents, definitions);
  rmSync(typesFolder, { recursive: true, force: true });
  mkdirSync(typesFolder, { recursive: true });
  const files = [...new Set(groupOf.values())].toSorted();
  for (const file of files) {
    const names = [...groupOf].filter(([, group]) => group === file).map(([name]) => name);
    const body = names.toSorted().map((name) => declaration(name, definitions[name] ?? {})).join("\n");
    writeFileSync(join(typesFolder, `${file}.ts`), `${banner}${importsOf(body, file, groupOf)}\n${body}`);
  }
  const empty = "/** A value of a Go `map[string]struct{}`: only its key says something. */\nexport type EmptyObject = Readonly<Record<string, never>>;\n";
  writeFileSync(join(typesFolder, "empty.ts"), `${banner}\n${empty}`);
  const index = [...files, "empty"].map((file) => `export type * from "./${file}.ts";\n`).join("");
  writeFileSync(join(typesFolder, "index.ts"), `${banner}\n${index}`);
}

function importsOf(body: string, file: string, groupOf: ReadonlyMap<string, string>): string {
  const words = new Set(body.match(/\b[A-Z]\w*/g));
  const wanted = new Map<string, string[]>();
  for (const word of words) {
    const from = word === "EmptyObject" ? "empty" : groupOf.get(word);
    // A field may be named as a type is: only a word in the place of a type counts.
    if (!from || from === file || !new RegExp(`(: |extends |readonly |\\(|, |<|\\| |= )${word}\\b(?!\\??:)`).test(body)) continue;
    wanted.set(from, [...(wanted.get(from) ?? []), word]);
  }
  const lines = [...wanted].toSorted().map(([from, names]) => `import type { ${names.toSorted().join(", ")} } from "./${from}.ts";\n`);
  return lines.length > 0 ? `\n${lines.join("")}` : "";
}

// ---- Go's shapes

const structs: Record<string, Record<string, string>> = { ...otherStructs };

function goTypeName(definition: string): string {
  return goNames[definition] ?? `swarm.${definition}`;
}

function goTypeOf(schema: Schema, definitions: Definitions): string {
  const single = schema.allOf?.length === 1 ? schema.allOf[0] : undefined;
  const name = refName(schema) ?? (single && refName(single));
  const definition = name === undefined ? undefined : definitions[name];
  if (name !== undefined && definition) return goDefinition(name, definition, definitions);
  switch (schema.type) {
    case "string":
      return "string";
    case "boolean":
      return "bool";
    case "integer":
      return schema.format ?? "int";
    case "number":
      return "float64";
    case "array":
      return `[]${goTypeOf(schema.items ?? text, definitions)}`;
  }
  if (typeof schema.additionalProperties !== "object") throw new Error(`no Go type for ${JSON.stringify(schema)}`);
  if (schema.additionalProperties.type === "object") return "map[string]struct {}";
  return `map[string]${goTypeOf(schema.additionalProperties, definitions)}`;
}

function goDefinition(name: string, definition: Schema, definitions: Definitions): string {
  const go = goTypeName(name);
  if (definition.type === "array") return goTypeOf(definition, definitions);
  if (go in goDefinitions || definition.type === "string") return go;
  if (structs[go]) return go;
  const fields: Record<string, string> = (structs[go] = {});
  for (const [field, type] of goFieldsOf(name, definition, definitions)) fields[field] = type;
  return go;
}

/** Fields of embedded structs first, as their JSON comes flat. */
function goFieldsOf(name: string, definition: Schema, definitions: Definitions): [string, string][] {
  const bases = (definition.allOf ?? []).map(refName).filter((base) => base !== undefined);
  const embedded = bases.flatMap((base) => goFieldsOf(base, definitions[base] ?? {}, definitions));
  const own = Object.entries(ownProperties(definition)).map(([field, schema]): [string, string] => {
    // Structs behind a pointer or in a list are named by the override, and described by what the file says.
    const derived = isStructured(schema, definitions) ? goTypeOf(schema, definitions) : undefined;
    return [field, goFields[name]?.[field] ?? derived ?? goTypeOf(schema, definitions)];
  });
  return [...embedded, ...own];
}

const isStructured = (schema: Schema, definitions: Definitions): boolean => refsIn(schema).some((name) => definitions[name] !== undefined);

function writeSchema(documents: readonly Document[], definitions: Definitions): void {
  const inputs: Record<string, { type: string; go: string }> = { ...otherInputs };
  for (const operation of byMethod(documents[0] ?? { definitions: {}, paths: {} })) {
    const body = bodyOf(operation);
    if (!body) continue;
    const name = bodyName(operation, body);
    const isList = body.type === "array";
    inputs[operation.operationId] = {
      type: isList ? typeOf(body) : name,
      go: goTypeOf(isList ? inlineList(operation.operationId, body) : { $ref: `#/definitions/${name}` }, definitions),
    };
  }
  const strings = namedStrings(inputs);
  const imported = [...new Set(Object.values(inputs).flatMap(({ type }) => type.match(/\b[A-Z]\w*/g) ?? []))];
  const types = imported.filter((name) => name !== "Readonly" && name !== "Record").toSorted();
  const source = [
    banner,
    `\nimport type { ${types.join(", ")} } from "#types/engine-api/index.ts";\n`,
    "\n/** Fields of Go's structs and their types, in Go's notation. */",
    `\nexport const structs: Readonly<Record<string, Readonly<Record<string, string>>>> = ${table(structs)};\n`,
    "\n/** Go's other named types, and what they are. */",
    `\nexport const namedTypes: Readonly<Record<string, string>> = ${table({ ...goDefinitions, ...strings })};\n`,
    "\n/** What can be decoded: operations by the id of their request body, and JSON in headers and query parameters. */",
    `\nexport interface Inputs {\n${Object.entries(inputs).map(([name, { type }]) => `  readonly ${name}: ${type};\n`).join("")}}\n`,
    "\nexport const inputs: Readonly<Record<keyof Inputs, string>> = ",
    `${table(Object.fromEntries(Object.entries(inputs).map(([name, { go }]) => [name, go])))};\n`,
  ];
  mkdirSync(schemaFolder, { recursive: true });
  writeFileSync(join(schemaFolder, "schema.ts"), source.join(""));
}

/** The privileges of a plugin are a list without a name in the file. */
function inlineList(operationId: string, body: Schema): Schema {
  return operationId === "PluginSet" ? body : { type: "array", items: { $ref: "#/definitions/PluginPrivilege" } };
}

/** Dotted names that are neither structs nor defined: types over string. */
function namedStrings(inputs: Readonly<Record<string, { readonly go: string }>>): Record<string, string> {
  const expressions = [...Object.values(structs).flatMap((fields) => Object.values(fields)), ...Object.values(inputs).map(({ go }) => go)];
  const names = expressions.flatMap((expression) => expression.match(/[a-z]\w*\.[A-Z]\w*/g) ?? []);
  const unknown = names.filter((name) => !structs[name] && !goDefinitions[name] && name !== "strslice.StrSlice");
  return Object.fromEntries([...new Set(unknown)].toSorted().map((name) => [name, "string"]));
}

const table = (value: unknown): string => JSON.stringify(value, null, 2).replaceAll(/^(\s+)"([A-Za-z_]\w*)":/gm, "$1$2:");

const documents = process.argv.slice(2).map((path) => parse(readFileSync(path, "utf8")) as Document);
if (documents.length === 0) throw new Error("usage: bun scripts/generate-engine-api.ts NEWEST.yaml [OLDER.yaml...]");
const definitions = mergeDocuments(documents);
hoistInline(definitions);
writeTypes(documents, definitions);
writeSchema(documents, definitions);
