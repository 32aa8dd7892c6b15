import { EngineError } from "#lib/errors.ts";
import { instancePaths } from "#lib/instance.ts";
import type { EndpointSettings } from "#types/engine-api/index.ts";
import type { ContainerNetwork, ContainerRecord } from "#types/record/container.ts";
import type { ContainerDependencies } from "./dependencies.ts";
import { containerFileTexts, usesEmbeddedResolver, writeContainerFiles } from "./files.ts";
import { admitLinked } from "./links/admit.ts";
import { linkedHosts } from "./links/linked.ts";
import { toContainerNetwork } from "./requested-networks.ts";
import { isRunning } from "./state.ts";

/** A container's place on a network, as network inspect shows it. */
export interface NetworkEndpoint {
  readonly containerId: string;
  readonly name: string;
  readonly endpointId: string;
  readonly mac: string;
  /** Address with prefix length, or "". */
  readonly ipv4: string;
  readonly ipv6: string;
}

/** Connects a container that runs or not. @throws {EngineError} `forbidden`, `invalid` with Docker's texts */
export async function connectContainer(
  deps: ContainerDependencies,
  record: ContainerRecord,
  networkName: string,
  settings: EndpointSettings,
): Promise<void> {
  const { config } = deps.networks.find(networkName);
  refuseModes(record, config.driver);
  // One that is gone may have had the name.
  if (record.networks[config.name]?.networkId === config.id) {
    if (!isRunning(record.state)) return;
    throw new EngineError("forbidden", `endpoint with name ${record.name} already exists in network ${config.name}`);
  }
  const wanted: ContainerNetwork = { ...toContainerNetwork(deps, config.id, settings), connectedLater: true };
  const next: ContainerRecord = { ...record, networks: { ...record.networks, [config.name]: wanted } };
  if (!isRunning(record.state)) {
    await deps.containers.update(record.id, (now) => ({ ...now, networks: { ...now.networks, [config.name]: wanted } }));
    return;
  }
  const request = deps.networks.endpointRequests(next).find((endpoint) => endpoint.networkId === config.id);
  if (!request) throw new EngineError("invalid", `container cannot be connected to network ${config.name}`);
  const sandbox = await deps.networkDriver.connect(record.id, request);
  await deps.containers.update(record.id, (now) => ({ ...now, sandbox, networks: { ...now.networks, [config.name]: wanted } }));
  await admitLinked(deps, deps.containers.get(record.id));
  await rewriteFiles(deps, record.id);
  deps.networks.announce("connect", config.id, record.id);
}

/** @throws {EngineError} `invalid`, `not_found` with Docker's texts */
export async function disconnectContainer(
  deps: ContainerDependencies,
  record: ContainerRecord,
  networkName: string,
  force: boolean,
): Promise<void> {
  const network = deps.networks.lookup(networkName)?.config;
  const shownName = network?.name ?? networkName;
  const key = Object.keys(record.networks).find((name) => (network ? record.networks[name]?.networkId === network.id : name === shownName));
  const without = (now: ContainerRecord): ContainerRecord["networks"] =>
    Object.fromEntries(Object.entries(now.networks).filter(([name]) => name !== key));
  // Also from a network that is gone, which would keep the container from starting.
  if (!isRunning(record.state) || (!network && force)) {
    if (key === undefined) throw new EngineError("invalid", `container ${record.id} is not connected to the network ${shownName}`);
    await deps.containers.update(record.id, (now) => ({ ...now, networks: without(now) }));
    return;
  }
  const config = network ?? deps.networks.find(networkName).config;
  if (isHostMode(record) && config.driver === "host")
    throw new EngineError("invalid", "cannot disconnect container from host network - container was created in host network mode");
  if (key === undefined) throw new EngineError("invalid", `container ${record.id} is not connected to network ${config.name}`);
  const sandbox = await deps.networkDriver.disconnect(record.id, config.id);
  await deps.containers.update(record.id, (now) => ({ ...now, sandbox, networks: without(now) }));
  await rewriteFiles(deps, record.id);
  deps.networks.announce("disconnect", config.id, record.id);
}

/** Containers that are on a network now. */
export function networkEndpoints(records: Iterable<ContainerRecord>, networkId: string): NetworkEndpoint[] {
  return [...records].flatMap((record) => {
    if (!isRunning(record.state)) return [];
    const name = Object.values(record.networks).some((wanted) => wanted.networkId === networkId) ? record.name : undefined;
    if (name === undefined) return [];
    const state = record.sandbox?.endpoints.find((endpoint) => endpoint.networkId === networkId);
    const withPrefix = (address: string | undefined, length: number | undefined): string =>
      address === undefined ? "" : `${address}/${length}`;
    return [
      {
        containerId: record.id,
        name,
        endpointId: state?.endpointId ?? "",
        mac: state?.mac ?? "",
        ipv4: withPrefix(state?.ipv4, state?.ipv4PrefixLength),
        ipv6: withPrefix(state?.ipv6, state?.ipv6PrefixLength),
      },
    ];
  });
}

/** hosts and resolv.conf of a running container follow its networks. */
export async function rewriteFiles(deps: ContainerDependencies, id: string): Promise<void> {
  const record = deps.containers.get(id);
  const paths = instancePaths(deps.instance).container(id);
  const names = { ...deps.settings, hostGateway: deps.networks.hostGateway, linked: linkedHosts(deps, record) };
  await writeContainerFiles(paths, containerFileTexts(record, record.sandbox, names, usesEmbeddedResolver(deps, record)));
}

/** Those linked to a container that has just started find it at its address of now. */
export async function rewriteLinkingFiles(deps: ContainerDependencies, id: string): Promise<void> {
  for (const record of deps.containers.linkingTo(id)) if (isRunning(record.state)) await rewriteFiles(deps, record.id);
}

/** Namespaces that are not the container's own, or have no network at all. */
function refuseModes(record: ContainerRecord, driver: string): void {
  const mode = record.hostConfig.NetworkMode ?? "";
  if (mode.startsWith("container:") || (isHostMode(record) && driver !== "host"))
    throw new EngineError(
      "invalid",
      "container sharing network namespace with another container or host cannot be connected to any other network",
    );
  if (driver === "host" && !isHostMode(record))
    throw new EngineError("invalid", "cannot connect container to host network - container must be created in host network mode");
  if (driver === "null" || mode === "none")
    throw new EngineError("invalid", "container cannot be connected to multiple networks with one of the networks in private (none) mode");
}

function isHostMode(record: ContainerRecord): boolean {
  return record.hostConfig.NetworkMode === "host";
}
