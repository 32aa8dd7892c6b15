import { EngineError } from "#lib/errors.ts";
import { instancePaths } from "#lib/instance.ts";
import type { EndpointSettings } from "#types/engine-api/index.ts";
import type { ContainerRecord } from "#types/record/container.ts";
import { toContainerNetwork } from "./create.ts";
import type { ContainerDependencies } from "./dependencies.ts";
import { writeContainerFiles } from "./files.ts";
import { usesEmbeddedResolver } from "./start.ts";
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

/** Connects a container that runs or not. @throws {EngineError} `forbidden`, `conflict`, `invalid` with Docker's texts */
export async function connectContainer(
  deps: ContainerDependencies,
  record: ContainerRecord,
  networkName: string,
  settings: EndpointSettings,
): Promise<void> {
  const { config } = deps.networks.find(networkName);
  refuseMode(record, config.driver, "connected to");
  if (record.networks[config.name]) {
    if (!isRunning(record.state)) return;
    throw new EngineError("forbidden", `endpoint with name ${record.name} already exists in network ${config.name}`);
  }
  const wanted = toContainerNetwork(deps, config.id, settings);
  const next: ContainerRecord = { ...record, networks: { ...record.networks, [config.name]: wanted } };
  if (!isRunning(record.state)) {
    await deps.containers.update(record.id, (now) => ({ ...now, networks: { ...now.networks, [config.name]: wanted } }));
    return;
  }
  const request = deps.networks.endpointRequests(next).find((endpoint) => endpoint.networkId === config.id);
  if (!request) throw new EngineError("invalid", `container cannot be connected to network ${config.name}`);
  const sandbox = await deps.networkDriver.connect(record.id, request);
  await deps.containers.update(record.id, (now) => ({ ...now, sandbox, networks: { ...now.networks, [config.name]: wanted } }));
  await rewriteFiles(deps, record.id);
  deps.networks.announce("connect", config.id, record.id);
}

/** @throws {EngineError} `forbidden`, `not_found` with Docker's texts */
export async function disconnectContainer(
  deps: ContainerDependencies,
  record: ContainerRecord,
  networkName: string,
  force: boolean,
): Promise<void> {
  const { config } = deps.networks.find(networkName);
  refuseMode(record, config.driver, "disconnected from");
  const key = Object.keys(record.networks).find((name) => record.networks[name]?.networkId === config.id);
  if (key === undefined) {
    if (force) return;
    throw new EngineError("forbidden", `container ${record.id} is not connected to network ${config.name}`);
  }
  const without = (now: ContainerRecord): ContainerRecord["networks"] =>
    Object.fromEntries(Object.entries(now.networks).filter(([name]) => name !== key));
  if (!isRunning(record.state)) {
    await deps.containers.update(record.id, (now) => ({ ...now, networks: without(now) }));
    return;
  }
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
async function rewriteFiles(deps: ContainerDependencies, id: string): Promise<void> {
  const record = deps.containers.get(id);
  const paths = instancePaths(deps.instance).container(id);
  const names = { ...deps.settings, hostGateway: deps.networks.hostGateway };
  await writeContainerFiles(paths, record, record.sandbox, names, usesEmbeddedResolver(deps, record));
}

function refuseMode(record: ContainerRecord, driver: string, verb: "connected to" | "disconnected from"): void {
  const mode = record.hostConfig.NetworkMode ?? "";
  if (mode.startsWith("container:"))
    throw new EngineError(
      "conflict",
      "container sharing network namespace with another container or host cannot be connected to any other network",
    );
  if (mode === "host" || driver === "host") throw new EngineError("forbidden", `container cannot be ${verb} host network`);
  if (driver === "null" || mode === "none")
    throw new EngineError(
      "forbidden",
      "container cannot be connected to multiple networks with one of the networks in private (none) mode",
    );
}
