import { stat } from "node:fs/promises";
import { posix } from "node:path";
import { EngineError } from "#lib/errors.ts";
import { randomId } from "#lib/id.ts";
import type { ContainerConfig, HostConfig, Mount } from "#types/engine-api/index.ts";
import type { ContainerMount, ContainerRecord } from "#types/record/container.ts";
import type { VolumeService } from "../volume/service.ts";

const propagations = ["private", "rprivate", "shared", "rshared", "slave", "rslave"];

/** A mount as it was asked for, before volumes exist. */
type Wanted = ContainerMount & {
  /** A bind whose source is made when it is missing: all of `-v`, those of `--mount` that say so. */
  readonly createSource?: boolean;
  readonly volumeOptions?: Readonly<Record<string, string>>;
  readonly volumeLabels?: Readonly<Record<string, string>>;
};

/**
 * All mounts of a new container: binds, `--mount`, tmpfs, those of other containers, and anonymous volumes for what the image declares.
 * A destination named twice is refused; what the image declares yields to what the user says.
 */
export function parseMounts(
  config: ContainerConfig,
  host: HostConfig,
  recursiveReadOnly: boolean,
  containerOf: (name: string) => ContainerRecord | undefined,
): Wanted[] {
  const mounts = new Map<string, Wanted>();
  const add = (mount: Wanted, replaces = false): void => {
    if (!replaces && mounts.has(mount.destination)) throw new EngineError("invalid", `Duplicate mount point: ${mount.destination}`);
    mounts.set(mount.destination, mount);
  };
  // Those of other containers come first: everything said for this one goes before them.
  for (const text of host.VolumesFrom ?? []) for (const mount of parseVolumesFrom(text, containerOf)) add(mount, true);
  const own = [
    ...(host.Binds ?? []).map((text) => parseBind(text, host.VolumeDriver || "local", recursiveReadOnly)),
    ...(host.Mounts ?? []).map((mount) => parseMount(mount, recursiveReadOnly)),
    ...Object.entries(host.Tmpfs ?? {}).map(([destination, options]) => parseTmpfs(destination, options)),
  ];
  const seen = new Set<string>();
  for (const mount of own) {
    if (seen.has(mount.destination)) throw new EngineError("invalid", `Duplicate mount point: ${mount.destination}`);
    seen.add(mount.destination);
    add(mount, true);
  }
  for (const destination of Object.keys(config.Volumes ?? {})) {
    const clean = cleanDestination(destination);
    if (!mounts.has(clean)) add(anonymousVolume(clean, host.VolumeDriver || "local"));
  }
  return [...mounts.values()];
}

/** Makes the volumes that are named, checks sources, and gives the mounts their paths. */
export async function resolveMounts(
  wanted: readonly Wanted[],
  volumes: VolumeService,
  createBindSource: (path: string) => Promise<void>,
): Promise<ContainerMount[]> {
  const resolved: ContainerMount[] = [];
  for (const mount of wanted) {
    const { volumeOptions, volumeLabels, createSource, ...plain } = mount;
    if (mount.type === "volume") {
      const record = await volumes.create({
        ...(mount.name !== undefined && { name: mount.name }),
        ...(mount.driver !== undefined && { driver: mount.driver }),
        ...(volumeOptions && { options: volumeOptions }),
        ...(volumeLabels && { labels: volumeLabels }),
        anonymous: mount.anonymous,
      });
      resolved.push({ ...plain, name: record.name, driver: record.driver, source: volumes.path(record) });
    } else {
      if (mount.type === "bind" && !(await exists(mount.source))) {
        if (!createSource) throw missingSource(mount.source);
        await createBindSource(mount.source);
      }
      resolved.push(plain);
    }
  }
  return resolved;
}

function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

function missingSource(path: string): EngineError {
  return new EngineError("invalid", `invalid mount config for type "bind": bind source path does not exist: ${path}`);
}

function parseBind(text: string, volumeDriver: string, recursiveReadOnly: boolean): Wanted {
  const parts = text.split(":");
  const [source = "", target, mode = ""] = parts;
  if (parts.length > 3 || source === "" || target === undefined || target === "") {
    throw new EngineError("invalid", `invalid volume specification: '${text}'`);
  }
  const kind = source.startsWith("/") ? "bind" : "volume";
  const destination = cleanDestination(target, `invalid volume specification: '${text}': invalid mount config for type "${kind}": `);
  const flags = parseMode(mode, text, kind === "bind");
  const common = { destination, writable: flags.writable, propagation: flags.propagation, noCopy: flags.noCopy };
  if (kind === "bind") {
    return {
      ...common,
      type: "bind",
      source: posix.normalize(source).replace(/(.)\/$/, "$1"),
      mode,
      createSource: true,
      propagation: flags.propagation || "rprivate",
      anonymous: false,
      readOnlyRecursive: recursiveReadOnly ? "try" : "off",
    };
  }
  return { ...common, type: "volume", name: source, driver: volumeDriver, source: "", mode: mode || "z", anonymous: false };
}

function parseMode(mode: string, text: string, isBind: boolean): { writable: boolean; propagation: string; noCopy: boolean } {
  const flags = { writable: true, propagation: "", noCopy: false };
  const seen = new Set<string>();
  for (const word of mode === "" ? [] : mode.split(",")) {
    const kind = ["ro", "rw"].includes(word)
      ? "access"
      : ["z", "Z"].includes(word)
        ? "label"
        : propagations.includes(word)
          ? "propagation"
          : word === "nocopy"
            ? "copy"
            : "";
    if (kind === "" || seen.has(kind) || (kind === "copy" && isBind) || (kind === "propagation" && !isBind)) {
      throw new EngineError("invalid", `invalid mode: ${mode}`);
    }
    seen.add(kind);
    if (word === "ro") flags.writable = false;
    if (kind === "propagation") flags.propagation = word;
    if (kind === "copy") flags.noCopy = true;
  }
  if (text.includes("\0")) throw new EngineError("invalid", "invalid volume specification: NUL in path");
  return flags;
}

function parseMount(mount: Mount, recursiveReadOnly: boolean): Wanted {
  const kind = mount.Type ?? "volume";
  const bad = (reason: string): EngineError =>
    new EngineError("invalid", `invalid mount config for type ${JSON.stringify(kind)}: ${reason}`);
  refuseOtherOptions(kind, mount);
  const target = mount.Target ?? "";
  if (target === "") throw bad("field Target must not be empty");
  const destination = cleanDestination(target, `invalid mount config for type ${JSON.stringify(kind)}: `);
  const writable = mount.ReadOnly !== true;
  const base = { destination, writable, mode: "", propagation: "", noCopy: false, anonymous: false, source: mount.Source ?? "" };
  switch (kind) {
    case "bind": {
      if (base.source === "") throw bad("field Source must not be empty");
      if (!base.source.startsWith("/")) throw bad(`invalid mount path: '${base.source}' mount path must be absolute`);
      const options = mount.BindOptions ?? {};
      const propagation = options.Propagation || "rprivate";
      if (!propagations.includes(propagation)) throw bad(`invalid propagation mode: ${propagation}`);
      const forced = options.ReadOnlyForceRecursive === true;
      if (forced && writable) throw bad("mount source must be read-only for ReadOnlyForceRecursive");
      return {
        ...base,
        type: "bind",
        source: posix.normalize(base.source).replace(/(.)\/$/, "$1"),
        propagation,
        createSource: options.CreateMountpoint === true,
        nonRecursive: options.NonRecursive === true,
        readOnlyRecursive: forced ? "force" : recursiveReadOnly && !options.ReadOnlyNonRecursive ? "try" : "off",
      };
    }
    case "volume": {
      const options = mount.VolumeOptions ?? {};
      if (options.Subpath) throw new EngineError("not_implemented", "VolumeOptions.Subpath is not implemented yet");
      return {
        ...base,
        type: "volume",
        source: "",
        ...(base.source !== "" && { name: base.source }),
        anonymous: base.source === "",
        driver: options.DriverConfig?.Name || "local",
        noCopy: options.NoCopy === true,
        mode: "z",
        ...(options.DriverConfig?.Options && { volumeOptions: options.DriverConfig.Options }),
        ...(options.Labels && { volumeLabels: options.Labels }),
      };
    }
    case "tmpfs": {
      if (base.source !== "") throw bad("field Source must not be specified");
      const { SizeBytes: size = 0, Mode: mode = 0 } = mount.TmpfsOptions ?? {};
      const words = [size > 0 ? `size=${size}` : "", mode > 0 ? `mode=${mode.toString(8)}` : "", writable ? "" : "ro"].filter(Boolean);
      return { ...parseTmpfs(destination, words.join(",")), writable };
    }
    case "image":
      throw new EngineError("not_implemented", "mounts of type image are not implemented yet");
    default:
      throw new EngineError("invalid", `invalid mount config for type ${JSON.stringify(kind)}: mount type unknown`);
  }
}

/** Options belong to one type of mount each. */
function refuseOtherOptions(kind: string, mount: Mount): void {
  const options = { bind: mount.BindOptions, volume: mount.VolumeOptions, tmpfs: mount.TmpfsOptions };
  for (const [name, given] of Object.entries(options)) {
    const field = `${name.charAt(0).toUpperCase()}${name.slice(1)}Options`;
    if (given && name !== kind) throw new EngineError("invalid", `${field} must not be specified on mount type ${JSON.stringify(kind)}`);
  }
  if (mount.ImageOptions && kind !== "image")
    throw new EngineError("invalid", `invalid mount config for type ${JSON.stringify(kind)}: field ImageOptions must not be specified`);
}

const tmpfsFlags = new Set(
  "ro rw nosuid suid nodev dev noexec exec noatime atime relatime strictatime nodiratime diratime sync async dirsync".split(" "),
);

/** `noexec,nosuid,nodev` unless said otherwise. */
function parseTmpfs(target: string, text: string): Wanted {
  const destination = cleanDestination(target);
  const words = text === "" ? [] : text.split(",");
  for (const word of words) {
    if (
      !tmpfsFlags.has(word) &&
      !/^(size=\d+[kmgKMG%]?|mode=[0-7]{1,4}|uid=\d+|gid=\d+|nr_inodes=\d+[kmgKMG]?|nr_blocks=\d+[kmgKMG]?)$/.test(word)
    ) {
      throw new EngineError("invalid", `invalid tmpfs option ${JSON.stringify(word)}`);
    }
  }
  const opposite: Readonly<Record<string, string>> = { noexec: "exec", nosuid: "suid", nodev: "dev" };
  const defaults = Object.entries(opposite).flatMap(([name, other]) => (words.includes(other) || words.includes(name) ? [] : [name]));
  const tmpfsOptions = [...defaults, ...words.filter((word) => !Object.values(opposite).includes(word))];
  return {
    type: "tmpfs",
    source: "",
    destination,
    mode: text,
    writable: !words.includes("ro"),
    propagation: "",
    anonymous: false,
    noCopy: true,
    tmpfsOptions,
  };
}

function parseVolumesFrom(text: string, containerOf: (name: string) => ContainerRecord | undefined): Wanted[] {
  const [name = "", mode = ""] = text.split(":");
  if (name === "") throw new EngineError("invalid", `malformed volumes-from specification: ${JSON.stringify(text)}`);
  if (!["", "ro", "rw", "z", "Z"].includes(mode)) throw new EngineError("invalid", `invalid mode: ${mode}`);
  const other = containerOf(name);
  if (!other) throw new EngineError("invalid", `No such container: ${name}`);
  return other.mounts
    .filter((mount) => mount.type === "bind" || mount.type === "volume")
    .map((mount) => ({ ...mount, mode: "", writable: mode !== "ro" && mount.writable, anonymous: false }));
}

function anonymousVolume(destination: string, driver: string): Wanted {
  return {
    type: "volume",
    name: randomId(),
    driver,
    source: "",
    destination,
    mode: "",
    writable: true,
    propagation: "",
    anonymous: true,
    noCopy: false,
  };
}

/** @param where  what the messages begin with */
function cleanDestination(target: string, where = ""): string {
  if (!target.startsWith("/")) throw new EngineError("invalid", `${where}invalid mount path: '${target}' mount path must be absolute`);
  const clean = posix.normalize(target).replace(/(.)\/$/, "$1");
  if (clean === "/") throw new EngineError("invalid", `${where}invalid specification: destination can't be '/'`);
  return clean;
}
