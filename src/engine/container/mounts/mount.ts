import { EngineError } from "#lib/errors.ts";
import type { Mount, MountBindOptions } from "#types/engine-api/index.ts";
import { cleanDestination, cleanPath } from "./destination.ts";
import { parseTmpfs, tmpfsText } from "./tmpfs.ts";
import { propagations, type WantedMount } from "./wanted.ts";

type Common = Pick<WantedMount, "destination" | "writable" | "mode" | "propagation" | "noCopy" | "anonymous" | "source">;
type Bad = (reason: string) => EngineError;

/** One of `HostConfig.Mounts`. @throws {EngineError} `invalid` with Docker's texts */
export function parseMount(mount: Mount, recursiveReadOnly: boolean): WantedMount {
  const kind = mount.Type ?? "volume";
  const bad: Bad = (reason) => new EngineError("invalid", `invalid mount config for type ${JSON.stringify(kind)}: ${reason}`);
  refuseOtherOptions(kind, mount);
  const target = mount.Target ?? "";
  if (target === "") throw bad("field Target must not be empty");
  const destination = cleanDestination(target, `invalid mount config for type ${JSON.stringify(kind)}: `);
  const writable = mount.ReadOnly !== true;
  const common = { destination, writable, mode: "", propagation: "", noCopy: false, anonymous: false, source: mount.Source ?? "" };
  switch (kind) {
    case "bind":
      return bindMount(mount.BindOptions ?? {}, common, recursiveReadOnly, bad);
    case "volume":
      return volumeMount(mount, common, bad);
    case "tmpfs":
      if (common.source !== "") throw bad("field Source must not be specified");
      return { ...parseTmpfs(destination, tmpfsText(mount.TmpfsOptions ?? {}, writable)), writable };
    case "image":
      return imageMount(mount, common, bad);
    default:
      throw bad("mount type unknown");
  }
}

function bindMount(options: MountBindOptions, common: Common, recursiveReadOnly: boolean, bad: Bad): WantedMount {
  const { source, writable } = common;
  if (source === "") throw bad("field Source must not be empty");
  if (!source.startsWith("/")) throw bad(`invalid mount path: '${source}' mount path must be absolute`);
  const propagation = options.Propagation || "rprivate";
  if (!propagations.includes(propagation)) throw bad(`invalid propagation mode: ${propagation}`);
  refuseConflict(options, writable);
  return {
    ...common,
    type: "bind",
    source: cleanPath(source),
    propagation,
    createSource: options.CreateMountpoint === true,
    nonRecursive: options.NonRecursive === true,
    readOnlyRecursive: options.ReadOnlyForceRecursive ? "force" : recursiveReadOnly && !options.ReadOnlyNonRecursive ? "try" : "off",
  };
}

/** Docker says so at the start only. */
function refuseConflict({ ReadOnlyNonRecursive: top, ReadOnlyForceRecursive: whole }: MountBindOptions, writable: boolean): void {
  const conflict = (what: string): EngineError => new EngineError("invalid", `mount options conflict: ${what}`);
  if (writable && top) throw conflict("!ReadOnly && BindOptions.ReadOnlyNonRecursive");
  if (writable && whole) throw conflict("!ReadOnly && BindOptions.ReadOnlyForceRecursive");
  if (top && whole) throw conflict("ReadOnlyNonRecursive && BindOptions.ReadOnlyForceRecursive");
}

function volumeMount(mount: Mount, common: Common, bad: Bad): WantedMount {
  const options = mount.VolumeOptions ?? {};
  const { source: name } = common;
  const subpath = relativeSubpath(options.Subpath, bad);
  if (subpath !== undefined && name === "") throw bad("must not set Subpath when using anonymous volumes");
  return {
    ...common,
    type: "volume",
    source: "",
    ...(name !== "" && { name }),
    anonymous: name === "",
    driver: options.DriverConfig?.Name || "local",
    // What the image has at the place belongs to no part of a volume.
    noCopy: options.NoCopy === true || subpath !== undefined,
    mode: "z",
    ...(subpath !== undefined && { subpath }),
    ...(options.DriverConfig?.Options && { volumeOptions: options.DriverConfig.Options }),
    ...(options.Labels && { volumeLabels: options.Labels }),
  };
}

/** The image itself is looked up with the volumes. */
function imageMount(mount: Mount, common: Common, bad: Bad): WantedMount {
  if (common.source === "") throw bad("field Source must not be empty");
  const subpath = relativeSubpath(mount.ImageOptions?.Subpath, bad);
  return { ...common, type: "image", writable: false, propagation: "rprivate", noCopy: true, ...(subpath !== undefined && { subpath }) };
}

/** Undefined: the whole. What links make of it is seen when it is mounted. */
function relativeSubpath(text: string | undefined, bad: Bad): string | undefined {
  if (text === undefined || text === "") return undefined;
  if (text.includes("\0") || text.startsWith("/") || /^\.\.(\/|$)/.test(cleanPath(text)))
    throw bad("subpath must be a relative path within the volume");
  return text;
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
