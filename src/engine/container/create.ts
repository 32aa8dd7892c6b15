import { mkdir } from "node:fs/promises";
import { randomId, shortId } from "#lib/id.ts";
import { EngineError } from "#lib/errors.ts";
import { formatTimeNano } from "#lib/clock.ts";
import type { ContainerConfig, ContainerCreateRequest, EndpointSettings, HostConfig } from "#types/engine-api/index.ts";
import type { ImageRunConfig } from "#types/oci/image.ts";
import type { ContainerNetwork, ContainerRecord } from "#types/record/container.ts";
import { validateLogOptions } from "#drivers/log/options.ts";
import type { ContainerDependencies } from "./dependencies.ts";
import { parseMounts, resolveMounts } from "./mounts.ts";
import { inventName, parseContainerName } from "./names.ts";
import { parsePorts, portRequests } from "./ports.ts";
import { containerCapabilities } from "./spec/capabilities.ts";
import { initialState } from "./state.ts";
import { refuseUnsupported } from "./unsupported.ts";
import { validateConfig } from "./validate.ts";

export interface CreateOptions {
  readonly name?: string;
  readonly platform?: string;
  /** Behaviour that differs by the API version of the request. */
  readonly defaultIpcMode: "private" | "shareable";
  readonly multipleNetworks: boolean;
  readonly recursiveReadOnlyBinds: boolean;
}

export interface CreateResult {
  readonly id: string;
  readonly warnings: readonly string[];
}

/** Validates all that can be validated, makes the volumes, writes one record. Nothing of the container exists on the host afterwards. */
export async function createContainer(
  deps: ContainerDependencies,
  request: ContainerCreateRequest,
  options: CreateOptions,
): Promise<CreateResult> {
  deps.warmCgroups();
  const { HostConfig: hostInput, NetworkingConfig: networking, ...configInput } = request;
  const hostConfig = withDefaults(deps, hostInput ?? {}, options);
  refuseUnsupported(hostConfig);
  validateConfig(configInput, hostConfig);
  const image = deps.images.resolveForRun(configInput.Image ?? "", options.platform);
  const config = mergeImageConfig(configInput, image.runConfig);
  validateConfig(config, hostConfig);
  if ((config.Entrypoint ?? []).length + (config.Cmd ?? []).length === 0) throw new EngineError("invalid", "no command specified");
  for (const port of Object.keys(config.ExposedPorts ?? {})) parsePorts(port);
  validateLogOptions(hostConfig.LogConfig?.Type ?? "", hostConfig.LogConfig?.Config ?? {});
  const ports = portRequests(config, hostConfig);
  containerCapabilities({ privileged: false, add: hostConfig.CapAdd ?? [], drop: hostConfig.CapDrop ?? [] }, deps.settings.capabilities);
  if (!deps.runtimes.has(hostConfig.Runtime || deps.settings.defaultRuntime))
    throw new EngineError("invalid", `unknown or invalid runtime name: ${hostConfig.Runtime}`);
  const networks = resolveNetworks(deps, hostConfig, networking?.EndpointsConfig ?? {}, options);
  const id = randomId();
  const name = options.name ? parseContainerName(options.name) : inventName((taken) => deps.containers.idOfName(taken) !== undefined);
  const wanted = parseMounts(config, hostConfig, options.recursiveReadOnlyBinds, (other) => deps.containers.find(other));
  const mounts = await resolveMounts(wanted, deps.volumes, async (path) => void (await mkdir(path, { recursive: true })));

  const record: ContainerRecord = {
    id,
    name,
    createdAt: formatTimeNano(deps.clock.nowNano()),
    imageId: image.id,
    imageManifestDigest: image.manifestDigest,
    platform: image.platform,
    config: {
      ...config,
      Hostname:
        config.Hostname || (hostConfig.NetworkMode === "host" || hostConfig.UTSMode === "host" ? deps.networks.hostname : shortId(id)),
    },
    hostConfig,
    networks,
    mounts,
    layers: image.diffIds,
    state: initialState,
    restartCount: 0,
    stoppedByUser: false,
    volatile: hostConfig.AutoRemove === true,
    logDriver: hostConfig.LogConfig?.Type ?? deps.settings.defaultLogDriver,
  };
  for (const mount of mounts) if (mount.name !== undefined) deps.volumes.addUser(mount.name, id);
  try {
    await deps.containers.add(record);
  } catch (error) {
    for (const mount of mounts) if (mount.name !== undefined) deps.volumes.removeUser(mount.name, id);
    for (const mount of mounts) if (mount.anonymous && mount.name !== undefined) await deps.volumes.remove(mount.name, true);
    throw error;
  }
  deps.events.emit("container", "create", id, containerAttributes(record));
  return { id, warnings: createWarnings(hostConfig, ports.length) };
}

/** Attributes of a container's events: labels, image, name. */
export function containerAttributes(record: ContainerRecord): Record<string, string> {
  return { ...record.config.Labels, image: record.config.Image ?? "", name: record.name };
}

function withDefaults(deps: ContainerDependencies, host: HostConfig, options: CreateOptions): HostConfig {
  const logType = host.LogConfig?.Type || deps.settings.defaultLogDriver;
  const logOptions =
    logType === deps.settings.defaultLogDriver
      ? { ...deps.settings.defaultLogOptions, ...host.LogConfig?.Config }
      : (host.LogConfig?.Config ?? {});
  return {
    ...host,
    NetworkMode: !host.NetworkMode || host.NetworkMode === "default" ? "bridge" : host.NetworkMode,
    IpcMode: host.IpcMode || options.defaultIpcMode,
    CgroupnsMode: host.CgroupnsMode || (host.Privileged ? "host" : "private"),
    RestartPolicy: { Name: host.RestartPolicy?.Name || "no", MaximumRetryCount: host.RestartPolicy?.MaximumRetryCount ?? 0 },
    LogConfig: { Type: logType, Config: logOptions },
    Runtime: host.Runtime || deps.settings.defaultRuntime,
    ShmSize: host.ShmSize || deps.settings.defaultShmBytes,
  };
}

/**
 * What the image says, where the request says nothing. An entrypoint of the request drops the image's command; the entrypoint `[""]` means
 * none at all.
 */
function mergeImageConfig(config: ContainerConfig, image: ImageRunConfig): ContainerConfig {
  const ownEntrypoint = config.Entrypoint !== undefined && config.Entrypoint !== null && config.Entrypoint.length > 0;
  const noEntrypoint = ownEntrypoint && config.Entrypoint?.length === 1 && config.Entrypoint[0] === "";
  const cmd = config.Cmd && config.Cmd.length > 0 ? config.Cmd : ownEntrypoint ? null : (image.Cmd ?? null);
  const environment = [...(config.Env ?? [])];
  const named = new Set(environment.map((entry) => entry.split("=")[0]));
  for (const entry of image.Env ?? []) if (!named.has(entry.split("=")[0])) environment.push(entry);
  return {
    ...config,
    Cmd: cmd,
    Entrypoint: noEntrypoint ? null : ownEntrypoint ? (config.Entrypoint ?? null) : (image.Entrypoint ?? null),
    Env: environment,
    User: config.User || image.User || "",
    WorkingDir: config.WorkingDir || image.WorkingDir || "",
    Labels: { ...image.Labels, ...config.Labels },
    ExposedPorts: mergeKeys(image.ExposedPorts, config.ExposedPorts),
    Volumes: mergeKeys(image.Volumes, config.Volumes),
    ...((config.StopSignal || image.StopSignal) && { StopSignal: config.StopSignal || image.StopSignal }),
    ...(config.Healthcheck === undefined && image.Healthcheck && { Healthcheck: image.Healthcheck }),
    ...(image.OnBuild && { OnBuild: image.OnBuild }),
    ...(config.Shell === undefined && image.Shell && { Shell: image.Shell }),
  };
}

/** What each network is asked for. The network of NetworkMode is always among them. */
function resolveNetworks(
  deps: ContainerDependencies,
  host: HostConfig,
  wanted: Readonly<Record<string, EndpointSettings | null>>,
  options: CreateOptions,
): Record<string, ContainerNetwork> {
  const mode = host.NetworkMode ?? "bridge";
  if (mode.startsWith("container:")) {
    deps.containers.find(mode.slice("container:".length));
    if (Object.keys(wanted).length > 0 && options.multipleNetworks) {
      throw new EngineError(
        "invalid",
        "conflicting options: cannot attach user-defined networks to a container that shares another's network",
      );
    }
    return {};
  }
  if (!options.multipleNetworks && Object.keys(wanted).length > 1) {
    throw new EngineError("invalid", "Container cannot be created with multiple network endpoints");
  }
  const names = new Set([mode, ...Object.keys(wanted)]);
  // A network that is not there is a failure of the start, as in Docker: it may come until then.
  const main = deps.networks.lookup(mode)?.config;
  const result: Record<string, ContainerNetwork> = Object.create(null) as Record<string, ContainerNetwork>;
  for (const name of names) {
    const network = deps.networks.lookup(name === "default" ? "bridge" : name)?.config ?? { name, id: "" };
    const settings = wanted[name] ?? (main && network.id === main.id ? (wanted[main.name] ?? wanted[main.id]) : undefined) ?? {};
    if (network.name in result && Object.keys(settings).length === 0) continue;
    result[network.name] = toContainerNetwork(deps, network.id, settings);
  }
  if (main && names.size > 1 && (main.driver === "host" || main.driver === "null")) {
    throw new EngineError("invalid", `conflicting options: cannot attach both user-defined and non-user-defined network-modes`);
  }
  return result;
}

/** One endpoint as it was asked for; without an id, of a network that is not there yet. @throws {EngineError} `invalid` with Docker's texts */
export function toContainerNetwork(
  deps: Pick<ContainerDependencies, "networks">,
  networkId: string,
  settings: EndpointSettings,
): ContainerNetwork {
  if (networkId !== "") deps.networks.validateEndpoint(networkId, settings);
  return {
    networkId,
    aliases: settings.Aliases ?? [],
    links: settings.Links ?? [],
    ...(settings.IPAMConfig?.IPv4Address && { ipv4: settings.IPAMConfig.IPv4Address }),
    ...(settings.IPAMConfig?.IPv6Address && { ipv6: settings.IPAMConfig.IPv6Address }),
    linkLocal: settings.IPAMConfig?.LinkLocalIPs ?? [],
    ...(settings.MacAddress && { mac: settings.MacAddress }),
    driverOptions: settings.DriverOpts ?? {},
    gatewayPriority: settings.GwPriority ?? 0,
  };
}

function createWarnings(host: HostConfig, ports: number): string[] {
  const warnings: string[] = [];
  if (ports > 0 && host.NetworkMode === "host") warnings.push("Published ports are discarded when using host network mode");
  if (host.OomKillDisable && !host.Memory)
    warnings.push(
      "OOM killer is disabled for the container, but no memory limit is set, this can result in the system running out of resources.",
    );
  return warnings;
}

type KeySet = Readonly<Record<string, Readonly<Record<string, never>>>>;

function mergeKeys(...sets: (Readonly<Record<string, object>> | null | undefined)[]): KeySet {
  const keys: Record<string, Readonly<Record<string, never>>> = Object.create(null) as Record<string, Readonly<Record<string, never>>>;
  for (const set of sets) for (const key of Object.keys(set ?? {})) keys[key] = {};
  return keys;
}
