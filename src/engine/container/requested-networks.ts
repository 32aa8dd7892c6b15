import { EngineError, messageOf } from "#lib/errors.ts";
import type { EndpointSettings, HostConfig } from "#types/engine-api/index.ts";
import type { ContainerNetwork } from "#types/record/container.ts";
import type { CreateOptions } from "./create.ts";
import type { ContainerDependencies } from "./dependencies.ts";
import { validateEndpointSettings } from "./endpoint-settings.ts";
import { sharedOwner } from "./shared-mode.ts";

type Dependencies = Pick<ContainerDependencies, "networks">;

/** How a request asks, by its API version, and the MAC address it names for the whole container, or "". */
type NetworkOptions = Pick<CreateOptions, "multipleNetworks" | "endpointMacAddresses"> & { readonly containerMac: string };

/** What each network is asked for. The network of NetworkMode is always among them. */
export function resolveNetworks(
  deps: Dependencies,
  host: HostConfig,
  wanted: Readonly<Record<string, EndpointSettings | null>>,
  options: NetworkOptions,
): Record<string, ContainerNetwork> {
  const mode = host.NetworkMode ?? "bridge";
  if (options.containerMac !== "" && !options.endpointMacAddresses && (sharedOwner(mode) !== undefined || mode === "host"))
    throw new EngineError("invalid", "conflicting options: mac-address and the network mode");
  if (sharedOwner(mode) !== undefined) {
    if (Object.keys(wanted).length > 0 && options.multipleNetworks) {
      throw new EngineError(
        "invalid",
        "conflicting options: cannot attach user-defined networks to a container that shares another's network",
      );
    }
    return {};
  }
  if (!options.multipleNetworks && Object.keys(wanted).length > 1) {
    const names = Object.keys(wanted).join(", ");
    throw new EngineError("invalid", `Container cannot be created with multiple network endpoints: ${names}`);
  }
  const names = new Set([mode, ...Object.keys(wanted)]);
  // A network that is not there is a failure of the start, as in Docker: it may come until then.
  const main = deps.networks.lookup(mode)?.config;
  const result: Record<string, ContainerNetwork> = Object.create(null) as Record<string, ContainerNetwork>;
  for (const name of names) {
    const network = deps.networks.lookup(name === "default" ? "bridge" : name)?.config ?? { name, id: "" };
    const settings = wanted[name] ?? (main && network.id === main.id ? (wanted[main.name] ?? wanted[main.id]) : undefined) ?? {};
    if (network.name in result && Object.keys(settings).length === 0) continue;
    result[network.name] = endpointOf(deps, network, placeMacAddress(settings, name === mode, options));
  }
  if (main && names.size > 1 && (main.driver === "host" || main.driver === "null")) {
    throw new EngineError("invalid", `conflicting options: cannot attach both user-defined and non-user-defined network-modes`);
  }
  return result;
}

function endpointOf(
  deps: Dependencies,
  network: { readonly id: string; readonly name: string },
  settings: EndpointSettings,
): ContainerNetwork {
  try {
    return toContainerNetwork(deps, network.id, settings);
  } catch (error) {
    throw new EngineError("invalid", `invalid config for network ${network.name}: ${messageOf(error)}`, { cause: error });
  }
}

/** The address that was given for the whole container belongs to the endpoint of its main network. */
function placeMacAddress(settings: EndpointSettings, isMain: boolean, options: NetworkOptions): EndpointSettings {
  const own = options.endpointMacAddresses ? (settings.MacAddress ?? "") : "";
  const { containerMac } = options;
  if (!isMain || containerMac === "") return { ...settings, MacAddress: own };
  if (own !== "" && own !== containerMac)
    throw new EngineError(
      "invalid",
      "the container-wide MAC address must match the endpoint-specific MAC address for the main network, or be left empty",
    );
  return { ...settings, MacAddress: containerMac };
}

/** One endpoint as it was asked for; without an id, of a network that is not there yet. @throws {EngineError} `invalid` with Docker's texts */
export function toContainerNetwork(deps: Dependencies, networkId: string, settings: EndpointSettings): ContainerNetwork {
  validateEndpointSettings(deps.networks.peek(networkId)?.config, settings);
  return {
    networkId,
    aliases: settings.Aliases ?? [],
    links: settings.Links ?? [],
    ...(settings.IPAMConfig?.IPv4Address && { ipv4: settings.IPAMConfig.IPv4Address }),
    ...(settings.IPAMConfig?.IPv6Address && { ipv6: settings.IPAMConfig.IPv6Address }),
    linkLocal: settings.IPAMConfig?.LinkLocalIPs ?? [],
    ...(settings.MacAddress && { mac: settings.MacAddress.toLowerCase().replaceAll("-", ":") }),
    driverOptions: settings.DriverOpts ?? {},
    gatewayPriority: settings.GwPriority ?? 0,
  };
}
