/**
 * Docker's client runs templates on Go structs first, whose fields exist also where the daemon left them out of the JSON. These are the ones
 * that templates in the wild ask for, with what a struct then holds.
 */
const absent: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  container: {
    "State.Health": null,
    "Config.Healthcheck": null,
    "Config.ExposedPorts": {},
    "Config.StopSignal": "",
    "Config.StopTimeout": null,
    "Config.Shell": [],
    "HostConfig.Init": null,
    "HostConfig.Mounts": [],
    "HostConfig.Tmpfs": {},
    "HostConfig.Sysctls": {},
    "HostConfig.StorageOpt": {},
    "HostConfig.Annotations": {},
    SizeRw: null,
    SizeRootFs: null,
    ExecIDs: [],
  },
  image: {
    Parent: "",
    Comment: "",
    DockerVersion: "",
    Author: "",
    Variant: "",
    "Config.Healthcheck": null,
    "Config.Volumes": {},
    "Config.ExposedPorts": {},
    "Config.Labels": {},
  },
  volume: { CreatedAt: "", Status: {}, UsageData: null },
  network: {},
};

/** Go's name of a field → its key in JSON, where the two differ. */
const goNames: Readonly<Record<string, readonly string[]>> = {
  ID: ["Id"],
  CPUShares: ["CpuShares"],
  NanoCPUs: ["NanoCpus"],
  CPUPeriod: ["CpuPeriod"],
  CPUQuota: ["CpuQuota"],
  DNS: ["Dns"],
  DNSOptions: ["DnsOptions"],
  DNSSearch: ["DnsSearch"],
};

type Fields = Record<string, unknown>;

/** Adds to a parsed inspection what a template may ask for. Changes the value it is given. */
export function withGoFields(kind: string, inspection: Fields): Fields {
  for (const [path, value] of Object.entries(absent[kind] ?? {})) {
    const names = path.split(".");
    const last = names.pop() ?? "";
    const parent = names.reduce<unknown>((held, name) => (isFields(held) ? held[name] : undefined), inspection);
    if (isFields(parent) && !Object.hasOwn(parent, last)) hidden(parent, last, value);
  }
  for (const parent of [inspection, inspection["HostConfig"]].filter(isFields))
    for (const [name, [key = ""]] of Object.entries(goNames))
      if (Object.hasOwn(parent, key) && !Object.hasOwn(parent, name)) hidden(parent, name, parent[key]);
  markNils(inspection);
  return inspection;
}

const listFields = new Set(
  "Env Cmd Entrypoint OnBuild Shell Args Binds CapAdd CapDrop Dns DnsOptions DnsSearch Links ExtraHosts VolumesFrom SecurityOpt GroupAdd DeviceCgroupRules DeviceRequests Devices Ulimits MaskedPaths ReadonlyPaths Aliases DNSNames RepoTags RepoDigests ExecIDs Mounts".split(
    " ",
  ),
);
const mapFields = new Set("Labels Volumes Options DriverOpts Sysctls Tmpfs Ports Networks ExposedPorts Containers".split(" "));

/** In a Go struct a list or a map that is null prints as an empty one, and only `json` shows the difference. */
function markNils(fields: Fields): void {
  for (const [name, value] of Object.entries(fields)) {
    if (value === null && listFields.has(name)) fields[name] = Object.defineProperty([], "toJSON", { value: () => null });
    else if (value === null && mapFields.has(name)) fields[name] = Object.defineProperty({}, "toJSON", { value: () => null });
    else if (isFields(value)) markNils(value);
  }
}

/** Found by name, but not printed with the rest. */
function hidden(parent: Fields, name: string, value: unknown): void {
  Object.defineProperty(parent, name, { value, enumerable: false });
}

const isFields = (value: unknown): value is Fields => typeof value === "object" && value !== null && !Array.isArray(value);
