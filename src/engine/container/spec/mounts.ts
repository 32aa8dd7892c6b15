import type { RuntimeMount } from "#types/oci/runtime-spec.ts";
import type { ContainerMount } from "#types/record/container.ts";
import type { PlacedMount } from "../mounts/place.ts";

export const defaultShmBytes = 64 * 1024 * 1024;

export interface MountSources {
  readonly privileged: boolean;
  readonly writableCgroups: boolean;
  readonly ownCgroupNamespace: boolean;
  /** undefined: the container has no /dev/shm of its own (`--ipc none`); a path: shared with another. */
  readonly shm: { readonly sizeBytes: number } | { readonly path: string } | undefined;
  /** Files of the daemon: target → path on the host. */
  readonly files: readonly { readonly destination: string; readonly source: string }[];
  /** What the user wants, resolved to paths on the host. */
  readonly mounts: readonly PlacedMount[];
  /** Program of `--init`, on the host. */
  readonly initPath?: string;
}

/** All mounts of a container in the order the runtime makes them. Source: OCI runtime-spec, config-linux.md, "Default Filesystems". */
export function toRuntimeMounts(sources: MountSources): RuntimeMount[] {
  const taken = new Set(sources.mounts.map((mount) => mount.destination));
  const isFree = (mount: RuntimeMount): boolean => !taken.has(mount.destination);
  // Lower ones later, the daemon's files among them: a volume on /etc must not hide /etc/hosts.
  const sorted = [...sources.mounts.map(toUserMount), ...daemonFiles(sources).filter(isFree)].sort(
    (a, b) => depth(a.destination) - depth(b.destination) || (a.destination < b.destination ? -1 : 1),
  );
  return [...kernelMounts(sources).filter(isFree), ...sorted];
}

function kernelMounts(sources: MountSources): RuntimeMount[] {
  const sysAccess = sources.privileged ? "rw" : "ro";
  const cgroupAccess = sources.writableCgroups ? "rw" : "ro";
  const mounts: RuntimeMount[] = [
    { destination: "/proc", type: "proc", source: "proc", options: ["nosuid", "noexec", "nodev"] },
    { destination: "/dev", type: "tmpfs", source: "tmpfs", options: ["nosuid", "strictatime", "mode=755", "size=65536k"] },
    {
      destination: "/dev/pts",
      type: "devpts",
      source: "devpts",
      options: ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"],
    },
    { destination: "/sys", type: "sysfs", source: "sysfs", options: ["nosuid", "noexec", "nodev", sysAccess] },
    { destination: "/sys/fs/cgroup", type: "cgroup", source: "cgroup", options: [cgroupAccess, "nosuid", "noexec", "nodev"] },
    // Shows the queues of the IPC namespace that the container is in, the host's too.
    { destination: "/dev/mqueue", type: "mqueue", source: "mqueue", options: ["nosuid", "noexec", "nodev"] },
  ];
  if (sources.shm && "path" in sources.shm) {
    mounts.push({ destination: "/dev/shm", type: "bind", source: sources.shm.path, options: ["rbind", "rprivate"] });
  } else if (sources.shm) {
    const options = ["nosuid", "noexec", "nodev", "mode=1777", `size=${sources.shm.sizeBytes}`];
    mounts.push({ destination: "/dev/shm", type: "tmpfs", source: "shm", options });
  }
  return mounts;
}

function daemonFiles(sources: MountSources): RuntimeMount[] {
  const mounts = sources.files.map(({ destination, source }) => ({ destination, type: "bind", source, options: ["rbind", "rprivate"] }));
  if (sources.initPath !== undefined) {
    mounts.push({ destination: initTarget, type: "bind", source: sources.initPath, options: ["bind", "ro"] });
  }
  return mounts;
}

/** Where the program of `--init` appears in the container. */
export const initTarget = "/sbin/docker-init";

function toUserMount(mount: PlacedMount): RuntimeMount {
  if (mount.type === "tmpfs") {
    return { destination: mount.destination, type: "tmpfs", source: "tmpfs", options: mount.tmpfsOptions ?? [] };
  }
  const bind = mount.nonRecursive ? "bind" : "rbind";
  const propagation = mount.propagation || "rprivate";
  const options = [
    bind,
    ...(mount.writable ? [] : [mount.nonRecursive || mount.readOnlyRecursive === "off" ? "ro" : "rro"]),
    ...(mount.sourceFlags ?? []).filter((flag) => flag !== "ro" || mount.writable),
    // crun would take the "r" of the propagation for that of the bind.
    mount.nonRecursive ? propagation.replace(/^r/, "") : propagation,
  ];
  return { destination: mount.destination, type: "bind", source: mount.source, options };
}

function depth(path: string): number {
  return path.split("/").filter(Boolean).length;
}

/** Propagation of the root file system that a mount's own propagation needs; without it the runtime silently gives less. */
export function rootfsPropagation(mounts: readonly ContainerMount[]): "rshared" | "rslave" | undefined {
  const wanted = mounts.map((mount) => mount.propagation);
  if (wanted.some((propagation) => propagation === "shared" || propagation === "rshared")) return "rshared";
  if (wanted.some((propagation) => propagation === "slave" || propagation === "rslave")) return "rslave";
  return undefined;
}
