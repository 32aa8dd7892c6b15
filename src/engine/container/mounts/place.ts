import { realpath, stat } from "node:fs/promises";
import { EngineError } from "#lib/errors.ts";
import type { ContainerMount } from "#types/record/container.ts";
import type { ContainerDependencies, HostMount } from "../dependencies.ts";

/** A mount as the runtime is told of it. */
export type PlacedMount = ContainerMount & {
  /** What the mount that the source lies on does not allow. crun before 1.9 would forget it. */
  readonly sourceFlags?: readonly string[];
};

/**
 * Looks at where the sources lie.
 * @throws {EngineError} `invalid` with Docker's texts for a propagation that the source does not have
 */
export async function placeMounts(
  deps: Pick<ContainerDependencies, "hostMounts" | "volumes">,
  mounts: readonly ContainerMount[],
): Promise<readonly PlacedMount[]> {
  // A volume with options is no folder, but something mounted.
  const isBound = ({ type, name }: ContainerMount): boolean => type === "bind" || (name !== undefined && deps.volumes.isMount(name));
  if (!mounts.some((mount) => isBound(mount) || needsFileCheck(mount))) return mounts;
  const present = mounts.some(isBound) ? deps.hostMounts() : [];
  return Promise.all(mounts.map(async (mount) => placeMount(mount, isBound(mount) ? present : undefined)));
}

async function placeMount(mount: ContainerMount, present: readonly HostMount[] | undefined): Promise<PlacedMount> {
  // Nothing can be mounted below a file, and crun 1.8 does not know "recursively read-only" for one.
  const asFile = needsFileCheck(mount) && (await isFile(mount.source)) ? { nonRecursive: true } : {};
  if (!present) return { ...mount, ...asFile };
  const host = mountOf(present, await resolved(mount.source));
  if (mount.type === "bind") checkPropagation(mount, host);
  const flags = new Set(host.options.split(","));
  return { ...mount, ...asFile, sourceFlags: keptFlags.filter((flag) => flags.has(flag)) };
}

const keptFlags = ["ro", "nosuid", "nodev", "noexec", "noatime", "nodiratime"];

function needsFileCheck({ type, writable, subpath }: ContainerMount): boolean {
  return !writable && (type === "bind" || subpath !== undefined);
}

/** Mounts travel only between peers: a bind that wants to give or take them needs a source that has some. */
function checkPropagation({ source, propagation }: ContainerMount, host: HostMount): void {
  if (!/^r?(shared|slave)$/.test(propagation)) return;
  const has = (kind: string): boolean => host.tags.some((tag) => tag.startsWith(`${kind}:`));
  const isShared = propagation.endsWith("shared");
  if (has("shared") || (!isShared && has("master"))) return;
  const kind = isShared ? "shared" : "shared or slave";
  throw new EngineError("invalid", `path ${source} is mounted on ${host.target} but it is not a ${kind} mount`);
}

/** The deepest, and of several on one place the topmost. */
function mountOf(mounts: readonly HostMount[], path: string): HostMount {
  const holds = ({ target }: HostMount): boolean => target === "/" || path === target || path.startsWith(`${target}/`);
  const found = mounts.filter(holds).reduce<HostMount | undefined>((deepest, mount) => {
    return deepest !== undefined && deepest.target.length > mount.target.length ? deepest : mount;
  }, undefined);
  if (!found) throw new EngineError("internal", `could not find source mount of ${path}`);
  return found;
}

/** What is gone since the create is told by the runtime. */
function resolved(path: string): Promise<string> {
  return realpath(path).catch(() => path);
}

function isFile(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => !found.isDirectory(),
    () => false,
  );
}
