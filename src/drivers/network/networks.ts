import { EngineError } from "#lib/errors.ts";
import type { Instance } from "#lib/instance.ts";
import type { RouteSocket } from "#os/netlink/route-socket.ts";
import { enableForwarding, ensureBridge, isOwnBridge } from "./bridge.ts";
import type { BridgeFirewall } from "./bridge-firewall.ts";
import { parseCidr } from "./cidr.ts";
import { AddressManagement, defaultIpv4Subnets, firstFreeSubnet, uniqueLocalSubnets } from "./ipam.ts";
import type { NameTable } from "./name-table.ts";
import type { Removal } from "./removal.ts";
import type { EndpointState, NetworkConfig, Subnet } from "./types.ts";

interface Network {
  readonly config: NetworkConfig;
  /** Index of the bridge; 0 for `host` and `null`. */
  readonly bridgeIndex: number;
}

interface Surroundings {
  readonly instance: Instance;
  readonly route: RouteSocket;
  readonly firewall: BridgeFirewall;
  readonly names: NameTable;
  readonly removal: Removal;
}

/** The networks of this host: their bridges, addresses, names and rules. */
export class Networks {
  readonly addresses = new AddressManagement();
  readonly #in: Surroundings;
  readonly #known = new Map<string, Network>();

  constructor(surroundings: Surroundings) {
    this.#in = surroundings;
  }

  /** @throws {EngineError} `not_found` */
  of(networkId: string): Network {
    const network = this.#known.get(networkId);
    if (!network) throw new EngineError("not_found", `network ${networkId} not found`);
    return network;
  }

  /** @throws {EngineError} `not_found` */
  readonly configOf = (networkId: string): NetworkConfig => this.of(networkId).config;

  ids(): string[] {
    return [...this.#known.keys()];
  }

  bridges(): Set<string> {
    return new Set([...this.#known.values()].map(({ config }) => config.bridge));
  }

  /** Blocks that neither a network nor a route of the host has; one for each family. */
  chooseSubnets(families: readonly (4 | 6)[], taken: readonly Subnet[]): Subnet[] {
    const { instance, route } = this.#in;
    const routed = route
      .routes()
      .flatMap(({ destination, prefixLength }) => (destination === undefined ? [] : (parseCidr(`${destination}/${prefixLength}`) ?? [])));
    const used = [...taken.flatMap((subnet) => parseCidr(subnet.subnet) ?? []), ...this.addresses.subnets(), ...routed];
    return families.map((family) =>
      firstFreeSubnet(family === 4 ? defaultIpv4Subnets() : uniqueLocalSubnets(`${instance.id} ${instance.dataRoot}`), used),
    );
  }

  /** All or nothing. */
  async create(config: NetworkConfig): Promise<void> {
    if (config.driver !== "bridge") return void this.#known.set(config.id, { config, bridgeIndex: 0 });
    const { instance, route, firewall } = this.#in;
    this.requireFirewall(config);
    this.addresses.register(config);
    try {
      if (this.#enableForwarding(config)) await firewall.rebuild();
      const bridgeIndex = ensureBridge(route, instance, config);
      await firewall.addNetwork(config);
      this.#known.set(config.id, { config, bridgeIndex });
    } catch (error) {
      await this.#unmake(config);
      throw error;
    }
  }

  async remove({ config }: Network): Promise<void> {
    this.#known.delete(config.id);
    this.#in.names.removeNetwork(config.id);
    if (config.driver === "bridge") await this.#unmake(config);
  }

  /** One that a record tells of: its bridge is as it should be afterwards, its rules come with the firewall's next `rebuild`. */
  adopt(config: NetworkConfig): void {
    const { instance, route, firewall } = this.#in;
    if (config.driver === "bridge") this.addresses.register(config);
    // Without rules its containers would lie open: there is no bridge, and who wants to use it is told why.
    if (config.driver !== "bridge" || firewall.lack !== undefined) return void this.#known.set(config.id, { config, bridgeIndex: 0 });
    this.#enableForwarding(config);
    this.#known.set(config.id, { config, bridgeIndex: ensureBridge(route, instance, config) });
    firewall.include(config);
  }

  /** Its bridge is somebody else's from now on. */
  forget(networkId: string): void {
    this.#known.delete(networkId);
    this.addresses.unregister(networkId);
    this.#in.names.removeNetwork(networkId);
  }

  /** The addresses of an endpoint are its own again. */
  adoptAddresses({ networkId, ipv4, ipv6 }: EndpointState): void {
    for (const address of [ipv4, ipv6]) if (address !== undefined) this.addresses.adopt(networkId, address);
  }

  releaseAddresses({ networkId, ipv4, ipv6 }: EndpointState): void {
    for (const address of [ipv4, ipv6]) if (address !== undefined) this.addresses.release(networkId, address);
  }

  /** @throws {EngineError} `unavailable` when this network needs rules that this host's kernel cannot have */
  requireFirewall({ name, driver }: NetworkConfig): void {
    const { lack } = this.#in.firewall;
    if (driver !== "bridge" || lack === undefined) return;
    throw new EngineError(
      "unavailable",
      `network ${name} cannot be used: the driver bridge needs nftables, which this host's kernel lacks (${lack}); --network none and --network host work`,
    );
  }

  /** @returns true when the firewall's table must be made anew to keep the host from routing for others */
  #enableForwarding(network: NetworkConfig): boolean {
    return this.#in.firewall.guardHostForwarding(enableForwarding(network.subnets.map((subnet) => subnet.family)));
  }

  async #unmake(network: NetworkConfig): Promise<void> {
    const { instance, route, firewall, removal } = this.#in;
    this.addresses.unregister(network.id);
    await firewall.removeNetwork(network);
    const link = route.link(network.bridge);
    if (link && isOwnBridge(instance, link)) await removal.removeLink(network.bridge);
  }
}
