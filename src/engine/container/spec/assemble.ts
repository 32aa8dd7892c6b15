import { release } from "node:os";
import { posix } from "node:path";
import { instancePaths } from "#lib/instance.ts";
import { EngineError } from "#lib/errors.ts";
import { defaultSeccompProfile } from "#drivers/runtime/seccomp/default-profile.ts";
import { withoutProjectChanges } from "#drivers/runtime/seccomp/project-guard.ts";
import type { RuntimeSeccomp, RuntimeSpec } from "#types/oci/runtime-spec.ts";
import { lastId } from "#lib/id-map.ts";
import type { ContainerRecord } from "#types/record/container.ts";
import type { IdMap } from "#types/record/id-map.ts";
import type { ContainerDependencies } from "../dependencies.ts";
import { linkedEnvironment } from "../links/linked.ts";
import { sharedOwner } from "../shared-mode.ts";
import { isRunning } from "../state.ts";
import type { ResolvedUser } from "../user.ts";
import { buildRuntimeSpec, type buildProcess } from "./build.ts";
import { containerCapabilities } from "./capabilities.ts";
import { containerDevices, hostDevices } from "./devices.ts";
import type { PlacedMount } from "../mounts/place.ts";
import { rootfsPropagation, toRuntimeMounts } from "./mounts.ts";
import { toRuntimeNamespaces, type NamespaceChoice } from "./namespaces.ts";
import { toRlimits } from "./rlimits.ts";
import { seccompFor } from "./seccomp-profile.ts";
import { writesToProject } from "../size-limit.ts";
import { parseSecurityOptions } from "./security.ts";

/** What one start has made. */
export interface SpecParts {
  /** Absent: the network of the host or of another container. */
  readonly netnsPath: string | undefined;
  readonly user: ResolvedUser;
  readonly mounts: readonly PlacedMount[];
  /** Path of another container's /dev/shm, for one that shares it. */
  readonly sharedMemory?: string | undefined;
  /** Absent: the host's. The root file system is where that namespace's root can look it up. */
  readonly userNamespace?: { readonly path: string; readonly map: IdMap; readonly rootfs: string } | undefined;
}

/** The runtime's config.json of one start: everything the record says, with what this start has made. */
export function assembleSpec(deps: ContainerDependencies, record: ContainerRecord, made: SpecParts): RuntimeSpec {
  const { config, hostConfig: host, id } = record;
  const paths = instancePaths(deps.instance).container(id);
  const privileged = host.Privileged === true;
  const common = processInputs(deps, record, made.user);
  const { userNamespace } = made;
  const namespaces = chooseNamespaces(deps, record, made);
  return buildRuntimeSpec({
    ...common,
    rootfs: userNamespace?.rootfs ?? paths.rootfs,
    ...(userNamespace && { idMap: userNamespace.map }),
    devices: privileged ? hostDevices() : containerDevices(host.Devices ?? [], host.DeviceCgroupRules ?? []),
    mounts: toRuntimeMounts({
      privileged,
      writableCgroups: parseSecurityOptions(host.SecurityOpt ?? []).writableCgroups ?? privileged,
      ownCgroupNamespace: namespaces.cgroup.kind === "own",
      shm: chooseShm(deps, record, made.sharedMemory),
      files: [
        { destination: "/etc/resolv.conf", source: paths.resolvConf },
        { destination: "/etc/hostname", source: paths.hostname },
        { destination: "/etc/hosts", source: paths.hosts },
      ],
      mounts: made.mounts,
      ...(host.Init && deps.settings.initPath !== undefined && { initPath: deps.settings.initPath }),
    }),
    namespaces: toRuntimeNamespaces(namespaces),
    cgroupsPath: cgroupsPath(deps, record),
    seccomp: chooseSeccomp(deps, record, common.capabilities),
    sysctls: chooseSysctls(record, made),
    ownUts: namespaces.uts.kind === "own",
    rootfsPropagation: rootfsPropagation(made.mounts),
    config,
  });
}

/** What run and exec share. */
export function processInputs(
  deps: ContainerDependencies,
  record: ContainerRecord,
  user: ResolvedUser,
): Parameters<typeof buildProcess>[0] {
  const { config, hostConfig: host } = record;
  return {
    config,
    linkEnvironment: linkedEnvironment(deps, record),
    hostConfig: host,
    hostname: config.Hostname ?? "",
    user,
    capabilities: containerCapabilities(
      { privileged: host.Privileged === true, add: host.CapAdd ?? [], drop: host.CapDrop ?? [] },
      deps.settings.capabilities,
    ),
    noNewPrivileges: parseSecurityOptions(host.SecurityOpt ?? []).noNewPrivileges,
    rlimits: toRlimits(host.Ulimits ?? [], deps.settings.defaultUlimits),
  };
}

/** Below the instance's own group, or below what `--cgroup-parent` says. */
export function cgroupsPath(deps: Pick<ContainerDependencies, "instance">, record: Pick<ContainerRecord, "id" | "hostConfig">): string {
  const parent = record.hostConfig.CgroupParent || deps.instance.cgroupParent;
  return posix.join("/", parent, record.id); // never above the root
}

type Choices = Parameters<typeof toRuntimeNamespaces>[0];

function chooseNamespaces(deps: ContainerDependencies, record: ContainerRecord, { netnsPath, userNamespace }: SpecParts): Choices {
  const { hostConfig: host } = record;
  const shared = (mode: string | undefined, namespace: SharedNamespace): NamespaceChoice => {
    if (mode === "host") return { kind: "host" };
    const owner = sharedOwner(mode ?? "");
    return owner === undefined ? { kind: "own" } : { kind: "path", path: namespacePath(deps, owner, namespace) };
  };
  return {
    network: netnsPath !== undefined ? { kind: "path", path: netnsPath } : shared(host.NetworkMode, "net"),
    uts: host.UTSMode === "host" || (host.NetworkMode === "host" && !host.UTSMode) ? { kind: "host" } : { kind: "own" },
    pid: shared(host.PidMode, "pid"),
    ipc: shared(host.IpcMode, "ipc"),
    user: userNamespace ? { kind: "path", path: userNamespace.path } : { kind: "host" },
    // On a v1 or hybrid host a namespace of its own would hide nothing that is mounted.
    cgroup: host.CgroupnsMode === "private" ? { kind: "own" } : { kind: "host" },
  };
}

function namespacePath(deps: ContainerDependencies, name: string, namespace: SharedNamespace): string {
  const other = deps.containers.lookup(name);
  if (!other) throw new EngineError("not_found", `joining ${namespaceNames[namespace]} namespace of container: No such container: ${name}`);
  if (!isRunning(other.state)) throw new EngineError("conflict", notRunning(other, namespace));
  return `/proc/${other.state.process.pid}/ns/${namespace}`;
}

type SharedNamespace = "net" | "pid" | "ipc";
const namespaceNames: Readonly<Record<SharedNamespace, string>> = { net: "network", pid: "PID", ipc: "IPC" };

/** Docker has two sentences for it. */
function notRunning({ id, name, state }: ContainerRecord, namespace: SharedNamespace): string {
  if (namespace !== "net") return `failed to join ${namespaceNames[namespace]} namespace: container ${id} is not running`;
  return `cannot join network namespace of a non running container: container ${name} is ${state.status}`;
}

function chooseShm(
  deps: ContainerDependencies,
  record: ContainerRecord,
  sharedMemory: string | undefined,
): { sizeBytes: number } | { path: string } | undefined {
  const mode = record.hostConfig.IpcMode ?? "";
  if (mode === "none") return undefined;
  if (mode === "host") return { path: "/dev/shm" };
  const owner = sharedOwner(mode);
  if (owner !== undefined) {
    const other = deps.containers.find(owner);
    if (sharedMemory === undefined) throw new EngineError("conflict", notRunning(other, "ipc"));
    return { path: sharedMemory };
  }
  return { sizeBytes: record.hostConfig.ShmSize || deps.settings.defaultShmBytes };
}

/** @throws {EngineError} `invalid` for a profile that cannot be told together with what the container's limits need */
export function chooseSeccomp(
  deps: Pick<ContainerDependencies, "instance" | "volumes">,
  record: Pick<ContainerRecord, "hostConfig" | "mounts" | "projectQuota">,
  capabilities: readonly string[],
): RuntimeSeccomp | undefined {
  const { seccomp } = parseSecurityOptions(record.hostConfig.SecurityOpt ?? []);
  if (seccomp === "unconfined" || (record.hostConfig.Privileged && seccomp === undefined)) return undefined;
  const profile =
    seccomp === undefined
      ? defaultSeccompProfile(capabilities)
      : seccompFor(seccomp, { capabilities, architecture: process.arch, kernelVersion: release() });
  return writesToProject(deps, record) ? withoutProjectChanges(profile) : profile;
}

/** Ports below 1024 and ping work for every user in a network namespace of its own, as in Docker since 20.10. */
/** With the defaults of a network namespace of its own. */
export function chooseSysctls(
  record: ContainerRecord,
  { netnsPath, userNamespace }: Pick<SpecParts, "netnsPath"> & { readonly userNamespace?: { readonly map: IdMap } | undefined },
): Record<string, string> {
  // The kernel refuses groups that the user namespace has not.
  const lastGroup = userNamespace ? lastId(userNamespace.map.gids) : 2147483647;
  const own = netnsPath !== undefined ? { "net.ipv4.ip_unprivileged_port_start": "0", "net.ipv4.ping_group_range": `0 ${lastGroup}` } : {};
  return { ...own, ...record.hostConfig.Sysctls };
}
