import { mkdir } from "node:fs/promises";
import { randomId, shortId } from "#lib/id.ts";
import { instancePaths } from "#lib/instance.ts";
import { EngineError, messageOf } from "#lib/errors.ts";
import { formatTimeNano } from "#lib/clock.ts";
import type { ContainerCreateRequest, HostConfig } from "#types/engine-api/index.ts";
import type { ContainerMount, ContainerRecord } from "#types/record/container.ts";
import { validateLogOptions } from "#drivers/log/options.ts";
import { validateCpuset } from "./cpuset.ts";
import type { ContainerDependencies } from "./dependencies.ts";
import { withDefaults } from "./host-config.ts";
import { resolveLinks } from "./links/requested.ts";
import { logConfig } from "./log-config.ts";
import { mergeImageConfig } from "./image-config.ts";
import { monitorShape } from "./monitor.ts";
import { attachedPath } from "./mounts/attach.ts";
import { parseMounts } from "./mounts/parse.ts";
import { resolveMounts } from "./mounts/resolve.ts";
import { inventName, parseContainerName } from "./names.ts";
import { parsePorts, portRequests } from "./ports.ts";
import { withoutImpossible } from "./possible-limits.ts";
import { resolveNetworks } from "./requested-networks.ts";
import { refuseNetworkConflicts } from "./shared-mode.ts";
import { allotQuota, validateStorageOptions, writesToProject } from "./size-limit.ts";
import { chooseSeccomp } from "./spec/assemble.ts";
import { containerCapabilities } from "./spec/capabilities.ts";
import { parseSecurityOptions } from "./spec/security.ts";
import type { SpareMonitor, SpareMonitors } from "./spare-monitor.ts";
import { initialState } from "./state.ts";
import { refuseUserNamespaceConflicts } from "./user-namespace.ts";
import { validateConfig } from "./validate.ts";

export interface CreateOptions {
  readonly name?: string;
  readonly platform?: string;
  /** Behaviour that differs by the API version of the request. */
  readonly defaultIpcMode: "private" | "shareable";
  readonly multipleNetworks: boolean;
  /** Each endpoint has a MAC address of its own; else only the container has one, for its main network. */
  readonly endpointMacAddresses: boolean;
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
  spares: SpareMonitors,
): Promise<CreateResult & { readonly spare: SpareMonitor | undefined }> {
  deps.warmCgroups();
  const { HostConfig: hostInput, NetworkingConfig: networking, ...configInput } = request;
  const { possible: hostConfig, warnings } = withoutImpossible(withDefaults(deps, hostInput ?? {}, options), deps.settings.cgroups);
  const storageWarnings = validateStorageOptions(deps, hostConfig);
  refuseNetworkConflicts(configInput, hostConfig);
  validateConfig(configInput, hostConfig, deps.settings.cgroups);
  validateCpuset("cpus", hostConfig.CpusetCpus ?? "", deps.settings.cgroups.cpus);
  validateCpuset("mems", hostConfig.CpusetMems ?? "", deps.settings.cgroups.mems);
  parseSecurityOptions(hostConfig.SecurityOpt ?? []);
  const image = deps.images.resolveForRun(configInput.Image ?? "", options.platform);
  const config = mergeImageConfig(configInput, image.runConfig);
  validateConfig(config, hostConfig, deps.settings.cgroups);
  refuseUserNamespaceConflicts(hostConfig, deps.settings.idMap !== undefined);
  if ((config.Entrypoint ?? []).length + (config.Cmd ?? []).length === 0) throw new EngineError("invalid", "no command specified");
  for (const port of Object.keys(config.ExposedPorts ?? {})) parsePorts(port);
  validateLogOptions(hostConfig.LogConfig?.Type ?? "", hostConfig.LogConfig?.Config ?? {});
  portRequests(config, hostConfig);
  const capabilities = containerCapabilities(
    { privileged: false, add: hostConfig.CapAdd ?? [], drop: hostConfig.CapDrop ?? [] },
    deps.settings.capabilities,
  );
  if (!deps.runtimes.has(hostConfig.Runtime || deps.settings.defaultRuntime))
    throw new EngineError("invalid", `unknown or invalid runtime name: ${hostConfig.Runtime}`);
  const { MacAddress: containerMac, ...ownConfig } = config;
  const networks = resolveNetworks(deps, hostConfig, networking?.EndpointsConfig ?? {}, { ...options, containerMac: containerMac ?? "" });
  const links = resolveLinks(deps, hostConfig);
  const name = options.name ? parseContainerName(options.name) : inventName((taken) => deps.containers.idOfName(taken) !== undefined);
  const wanted = parseMounts(config, hostConfig, options.recursiveReadOnlyBinds, (other) => deps.containers.lookup(other));
  const resolved = await resolveMounts(wanted, deps, makeMountSource);

  const projectQuota = await allotQuota(deps, hostConfig);
  await using undo = new AsyncDisposableStack();
  undo.defer(() => deps.quotas.free(projectQuota));

  // A spare monitor is bound to the cgroup that containers have when they ask for none.
  const spare = hostConfig.CgroupParent ? undefined : spares.take(monitorShape(deps, config, hostConfig));
  undo.defer(() => spare?.end());
  const id = spare?.id ?? randomId();
  const places = instancePaths(deps.instance).container(id).mounts;
  const mounts = resolved.map((mount, index) => (mount.image ? { ...mount, source: attachedPath(places, index) } : mount));

  const record: ContainerRecord = {
    id,
    name,
    createdAt: formatTimeNano(deps.clock.nowNano()),
    imageId: image.id,
    imageManifestDigest: image.manifestDigest,
    platform: image.platform,
    config: {
      ...ownConfig,
      Hostname:
        config.Hostname || (hostConfig.NetworkMode === "host" || hostConfig.UTSMode === "host" ? deps.networks.hostname : shortId(id)),
    },
    hostConfig: { ...hostConfig, Links: null }, // shown as they are now
    networks,
    mounts,
    ...(links.length > 0 && { links }),
    layers: image.diffIds,
    ...(projectQuota && { projectQuota }),
    state: initialState,
    restartCount: 0,
    stoppedByUser: false,
    volatile: hostConfig.AutoRemove === true,
    logDriver: hostConfig.LogConfig?.Type ?? deps.settings.defaultLogDriver,
  };
  // What only a start would refuse.
  logConfig(deps, record);
  if (writesToProject(deps, record)) chooseSeccomp(deps, record, capabilities);
  for (const mount of mounts) if (mount.name !== undefined) deps.volumes.addUser(mount.name, id);
  const added = deps.containers.add(record);
  if (deps.containers.peek(id)) spare?.makeReady(record); // not refused: beside the writing of the record
  try {
    await added;
  } catch (error) {
    for (const mount of mounts) if (mount.name !== undefined) deps.volumes.removeUser(mount.name, id);
    for (const mount of mounts) if (mount.anonymous && mount.name !== undefined) await deps.volumes.remove(mount.name, true);
    throw error;
  }
  undo.move();
  deps.events.emit("container", "create", id, containerAttributes(record));
  const deprecated = options.endpointMacAddresses && containerMac ? [macAddressWarning] : [];
  return { id, spare, warnings: [...deprecated, ...warnings, ...storageWarnings, ...createWarnings(hostConfig, mounts)] };
}

/** Attributes of a container's events: labels, image, name. */
export function containerAttributes(record: ContainerRecord): Record<string, string> {
  return { ...record.config.Labels, image: record.config.Image ?? "", name: record.name };
}

async function makeMountSource(path: string): Promise<void> {
  try {
    await mkdir(path, { recursive: true });
  } catch (error) {
    throw new EngineError("invalid", `error while creating mount source path '${path}': ${messageOf(error)}`, { cause: error });
  }
}

const macAddressWarning = "The container-wide MacAddress field is now deprecated. It should be specified in EndpointsConfig instead.";

function createWarnings(host: HostConfig, mounts: readonly ContainerMount[]): string[] {
  const warnings: string[] = [];
  if (mounts.some(({ type }) => type === "image")) warnings.push("Image mount is an experimental feature");
  if (Object.keys(host.PortBindings ?? {}).length > 0 && host.NetworkMode === "host")
    warnings.push("Published ports are discarded when using host network mode");
  return warnings;
}
