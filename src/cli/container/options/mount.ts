import { cut, parseCsv } from "../../flag-kinds.ts";
import type { Flag } from "../../flags.ts";
import { parseBoolean } from "../../flags.ts";
import { parseMemoryBytes } from "../../units.ts";
import { absolute } from "./volumes.ts";

interface Mount {
  Type: string;
  Source?: string;
  Target?: string;
  ReadOnly?: boolean;
  Consistency?: string;
  BindOptions?: {
    Propagation?: string;
    NonRecursive?: boolean;
    CreateMountpoint?: boolean;
    ReadOnlyNonRecursive?: boolean;
    ReadOnlyForceRecursive?: boolean;
  };
  VolumeOptions?: {
    NoCopy?: boolean;
    Labels?: Record<string, string>;
    Subpath?: string;
    DriverConfig: { Name?: string; Options?: Record<string, string> };
  };
  ImageOptions?: { Subpath?: string };
  TmpfsOptions?: { SizeBytes?: number; Mode?: number };
}

export const mountFlag = (usage: string): Flag<readonly Mount[]> => ({
  kind: "mount",
  usage,
  initial: () => [],
  set: (value, previous) => [...previous, parseMount(value, process.cwd())],
});

/** Reads `type=…,source=…,target=…,…`. @throws {Error} with Docker's words */
export function parseMount(value: string, directory: string): Mount {
  if (value === "") throw new Error("EOF");
  const mount: Mount = { Type: "volume" };
  for (const field of parseCsv(value)) {
    const [key, given] = cut(field, "=");
    if (given === undefined && !switches.has(key)) throw new Error(`invalid field '${field}' must be a key=value pair`);
    setField(mount, { key, value: given ?? "true", field, directory });
  }
  check(mount);
  return mount;
}

const switches = new Set(["readonly", "ro", "volume-nocopy", "bind-nonrecursive", "bind-create-src"]);

const volumeOptions = (mount: Mount) => (mount.VolumeOptions ??= { DriverConfig: {} });
const bindOptions = (mount: Mount) => (mount.BindOptions ??= {});
const tmpfsOptions = (mount: Mount) => (mount.TmpfsOptions ??= {});

function setField(mount: Mount, { key, value, field, directory }: { key: string; value: string; field: string; directory: string }): void {
  switch (key) {
    case "type":
      mount.Type = value.toLowerCase();
      return;
    case "source":
    case "src":
      mount.Source = value === "." || value.startsWith("./") ? absolute(value, directory) : value;
      return;
    case "target":
    case "dst":
    case "destination":
      mount.Target = value;
      return;
    case "readonly":
    case "ro":
      mount.ReadOnly = truth(key, value);
      return;
    case "consistency":
      mount.Consistency = value.toLowerCase();
      return;
    case "bind-propagation":
      bindOptions(mount).Propagation = value.toLowerCase();
      return;
    case "bind-nonrecursive":
      bindOptions(mount).NonRecursive = truth(key, value);
      return;
    case "bind-recursive":
      return setRecursive(mount, value);
    case "bind-create-src":
      bindOptions(mount).CreateMountpoint = truth(key, value);
      return;
    case "volume-subpath":
      volumeOptions(mount).Subpath = value;
      return;
    case "volume-nocopy":
      volumeOptions(mount).NoCopy = truth(key, value);
      return;
    case "volume-label":
      return setPair((volumeOptions(mount).Labels ??= {}), value);
    case "volume-driver":
      volumeOptions(mount).DriverConfig.Name = value;
      return;
    case "volume-opt":
      return setPair((volumeOptions(mount).DriverConfig.Options ??= {}), value);
    case "image-subpath":
      (mount.ImageOptions ??= {}).Subpath = value;
      return;
    case "tmpfs-size":
      tmpfsOptions(mount).SizeBytes = checked(key, value, () => parseMemoryBytes(value));
      return;
    case "tmpfs-mode":
      tmpfsOptions(mount).Mode = checked(key, value, () => parseOctal(value));
      return;
    default:
      throw new Error(`unexpected key '${key}' in '${field}'`);
  }
}

function setRecursive(mount: Mount, value: string): void {
  const options = bindOptions(mount);
  switch (value) {
    case "enabled": // read-only mounts are made recursively read-only where the kernel can
      return;
    case "disabled":
      options.NonRecursive = true;
      return;
    case "writable":
      options.ReadOnlyNonRecursive = true;
      return;
    case "readonly":
      options.ReadOnlyForceRecursive = true;
      return;
    default:
      throw new Error(`invalid value for bind-recursive: ${value} (must be "enabled", "disabled", "writable", or "readonly")`);
  }
}

function check(mount: Mount): void {
  if (mount.Type === "") throw new Error("type is required");
  if (!mount.Target) throw new Error("target is required");
  for (const [type, options] of [
    ["volume", mount.VolumeOptions],
    ["bind", mount.BindOptions],
    ["image", mount.ImageOptions],
    ["tmpfs", mount.TmpfsOptions],
  ] as const)
    if (options && mount.Type !== type) throw new Error(`cannot mix '${type}-*' options with mount type '${mount.Type}'`);
  if (mount.BindOptions?.ReadOnlyNonRecursive && !mount.ReadOnly)
    throw new Error("option 'bind-recursive=writable' requires 'readonly' to be specified in conjunction");
  if (mount.BindOptions?.ReadOnlyForceRecursive) {
    if (!mount.ReadOnly) throw new Error("option 'bind-recursive=readonly' requires 'readonly' to be specified in conjunction");
    if (mount.BindOptions.Propagation !== "rprivate")
      throw new Error("option 'bind-recursive=readonly' requires 'bind-propagation=rprivate' to be specified in conjunction");
  }
}

const truth = (key: string, value: string): boolean => checked(key, value, () => parseBoolean(value));

function parseOctal(value: string): number {
  if (!/^[0-7]{1,11}$/.test(value)) throw new Error("not octal");
  return Number.parseInt(value, 8);
}

function checked<T>(key: string, value: string, parse: () => T): T {
  try {
    return parse();
  } catch {
    throw new Error(`invalid value for ${key}: ${value}`);
  }
}

function setPair(target: Record<string, string>, value: string): void {
  const [key, entry] = cut(value, "=");
  if (key !== "") target[key] = entry ?? "";
}
