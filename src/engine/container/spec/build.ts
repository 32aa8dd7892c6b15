import type { ContainerConfig, HostConfig } from "#types/engine-api/index.ts";
import type { RuntimeIdRange, RuntimeMount, RuntimeSeccomp, RuntimeSpec } from "#types/oci/runtime-spec.ts";
import type { IdMap, IdRange } from "#types/record/id-map.ts";
import type { ResolvedUser } from "../user.ts";
import type { ContainerDevices } from "./devices.ts";
import { toRuntimeResources } from "./resources.ts";
import { initTarget } from "./mounts.ts";

/** Paths of /proc and /sys that tell about the host or reach its hardware. */
export const maskedPaths: readonly string[] = [
  "/proc/asound",
  "/proc/acpi",
  "/proc/interrupts",
  "/proc/kcore",
  "/proc/keys",
  "/proc/latency_stats",
  "/proc/timer_list",
  "/proc/timer_stats",
  "/proc/sched_debug",
  "/proc/scsi",
  "/sys/firmware",
  "/sys/devices/virtual/powercap",
];
export const readonlyPaths: readonly string[] = ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"];

export const defaultPath = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

export interface SpecInputs {
  readonly hostname: string;
  readonly config: ContainerConfig;
  /** What links to other containers tell; yields to what is configured. */
  readonly linkEnvironment: readonly string[];
  readonly hostConfig: HostConfig;
  readonly rootfs: string;
  readonly user: ResolvedUser;
  readonly capabilities: readonly string[];
  readonly devices: ContainerDevices;
  readonly mounts: readonly RuntimeMount[];
  readonly namespaces: RuntimeSpec["linux"]["namespaces"];
  readonly cgroupsPath: string;
  /** undefined: unconfined. */
  readonly seccomp: RuntimeSeccomp | undefined;
  readonly noNewPrivileges: boolean;
  readonly rlimits: readonly { readonly type: string; readonly soft: number; readonly hard: number }[];
  readonly sysctls: Readonly<Record<string, string>>;
  readonly ownUts: boolean;
  readonly rootfsPropagation: string | undefined;
  /** Of its user namespace. */
  readonly idMap?: IdMap;
}

/** The runtime's config.json of a container. crun below 1.14 refuses any version but 1.0.x. */
export function buildRuntimeSpec(inputs: SpecInputs): RuntimeSpec {
  const { config, hostConfig } = inputs;
  const privileged = hostConfig.Privileged === true;
  const masked = hostConfig.MaskedPaths ?? (privileged ? [] : maskedPaths);
  const readonly = hostConfig.ReadonlyPaths ?? (privileged ? [] : readonlyPaths);
  return {
    ociVersion: "1.0.2",
    process: {
      ...buildProcess(inputs),
      args: [...(hostConfig.Init ? [initTarget, "--"] : []), ...(config.Entrypoint ?? []), ...(config.Cmd ?? [])],
    },
    root: { path: inputs.rootfs, ...(hostConfig.ReadonlyRootfs && { readonly: true }) },
    ...(inputs.ownUts && { hostname: inputs.hostname }),
    ...(inputs.ownUts && config.Domainname && { domainname: config.Domainname }),
    mounts: inputs.mounts,
    ...(hostConfig.Annotations && { annotations: hostConfig.Annotations }),
    linux: {
      namespaces: inputs.namespaces,
      ...(inputs.idMap && { uidMappings: inputs.idMap.uids.map(toRuntimeRange), gidMappings: inputs.idMap.gids.map(toRuntimeRange) }),
      cgroupsPath: inputs.cgroupsPath,
      resources: toRuntimeResources(hostConfig, inputs.devices.rules),
      ...(inputs.devices.nodes.length > 0 && { devices: inputs.devices.nodes }),
      ...(inputs.seccomp && { seccomp: inputs.seccomp }),
      ...(Object.keys(inputs.sysctls).length > 0 && { sysctl: inputs.sysctls }),
      maskedPaths: masked,
      readonlyPaths: readonly,
      ...(inputs.rootfsPropagation !== undefined && { rootfsPropagation: inputs.rootfsPropagation }),
    },
  };
}

function toRuntimeRange({ containerId, hostId, size }: IdRange): RuntimeIdRange {
  return { containerID: containerId, hostID: hostId, size };
}

/** What run and exec have in common: an exec has the capabilities, limits and environment of its container. */
export function buildProcess(
  inputs: Pick<
    SpecInputs,
    "config" | "linkEnvironment" | "hostConfig" | "user" | "capabilities" | "noNewPrivileges" | "rlimits" | "hostname"
  >,
): Omit<RuntimeSpec["process"], "args"> {
  const { config, hostConfig, user, capabilities } = inputs;
  const [height, width] = hostConfig.ConsoleSize ?? [0, 0];
  // A user other than root starts without effective capabilities; those of the bounding set can still be had through file capabilities.
  const effective = user.uid === 0 ? capabilities : [];
  return {
    terminal: config.Tty === true,
    ...(config.Tty && height && width ? { consoleSize: { height, width } } : {}),
    user: { uid: user.uid, gid: user.gid, additionalGids: user.additionalGids },
    env: containerEnvironment(inputs),
    cwd: config.WorkingDir || "/",
    capabilities: { bounding: capabilities, effective, permitted: effective, inheritable: [], ambient: [] },
    rlimits: inputs.rlimits,
    noNewPrivileges: inputs.noNewPrivileges,
    oomScoreAdj: hostConfig.OomScoreAdj ?? 0,
  };
}

/** PATH and HOSTNAME first, TERM with a terminal, then the configured ones; HOME comes from the user's entry unless it is set. */
function containerEnvironment(inputs: Pick<SpecInputs, "config" | "linkEnvironment" | "user" | "hostname">): string[] {
  const configured = inputs.config.Env ?? [];
  const has = (name: string): boolean => configured.some((entry) => entry.startsWith(`${name}=`));
  const base = [
    ...(has("PATH") ? [] : [defaultPath]),
    `HOSTNAME=${inputs.hostname}`,
    ...(inputs.config.Tty ? ["TERM=xterm"] : []),
    ...inputs.linkEnvironment,
  ].filter((entry) => !has(entry.slice(0, entry.indexOf("="))));
  // `-e NAME` without a value and unset in the client arrives as a bare name: it means "not set".
  const set = configured.filter((entry) => entry.includes("="));
  return [...base, ...set, ...(has("HOME") ? [] : [`HOME=${inputs.user.home}`])];
}
