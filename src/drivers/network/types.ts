import type { NetworkConfig, PortRequest, Protocol, SandboxState, Subnet } from "#types/record/network.ts";

export type { EndpointState, NetworkConfig, PortRequest, Protocol, PublishedPort, SandboxState, Subnet } from "#types/record/network.ts";

/** A container that may open connections to ports of another, on a network that keeps containers apart. */
export interface LinkedPair {
  /** Ids of containers. */
  readonly source: string;
  readonly target: string;
  readonly ports: readonly { readonly protocol: Protocol; readonly port: number }[];
}

export interface EndpointRequest {
  /** 64 hex digits, made by the engine before anything on the host exists. */
  readonly endpointId: string;
  readonly networkId: string;
  /** Wanted addresses; absent: the driver allocates. */
  readonly ipv4?: string;
  readonly ipv6?: string;
  readonly mac?: string;
  /** Names under which others on this network find the container. */
  readonly dnsNames: readonly string[];
  /** Names that this container alone uses for others on the network: alias → name. */
  readonly links?: Readonly<Record<string, string>>;
  readonly linkLocal: readonly string[];
  /** Order of default gateways: the highest wins. */
  readonly gatewayPriority: number;
  /** Name of the link inside the container (`com.docker.network.endpoint.ifname`); absent: next free ethN. */
  readonly interfaceName?: string;
}

/** Name resolution of one sandbox. */
export interface ResolverConfig {
  /** Where queries for other names go; addresses of the host's resolv.conf or `--dns`. */
  readonly upstream: readonly string[];
}

/**
 * Bridges, namespaces, addresses, firewall rules, published ports and the embedded DNS server. Everything is done by netlink and
 * nfnetlink in process (see drivers/network/README.md); the nft program runs only when the whole table is made or restored.
 * The engine has written its record before it calls; each call is atomic: on an error, what it made is gone.
 */
export interface NetworkDriver {
  /**
   * Makes the host agree with the records: bridges, nft table, elements of running sandboxes, reserved ports, loopback forwarders and
   * DNS sockets. Orphans whose names carry this instance's prefix are removed. Called once at start, and again after a firewall reload.
   */
  restore(networks: readonly NetworkConfig[], sandboxes: readonly (SandboxState & { readonly resolver: ResolverConfig })[]): Promise<void>;
  /** Picks free subnets (one of each wanted family) that overlap neither a network nor a route of the host. */
  chooseSubnets(families: readonly (4 | 6)[], taken: readonly Subnet[]): Subnet[];
  /** @throws {EngineError} `invalid` / `forbidden` with Docker's text for overlapping pools */
  createNetwork(network: NetworkConfig): Promise<void>;
  removeNetwork(networkId: string): Promise<void>;

  /** Makes ahead what every sandbox begins with, so that the next one is there sooner. */
  prepareSandbox(): void;
  /**
   * Makes the network namespace of a container's next sandbox, which `createSandbox` takes up and `removeSandbox` removes.
   * @returns its path
   */
  reserveNamespace(containerId: string): string;
  /**
   * Makes a network namespace with lo up and decides on the endpoints' addresses: all that a container's configuration names. The links
   * are made by `joinSandbox`, which may run beside the making of the container.
   */
  createSandbox(request: {
    readonly containerId: string;
    readonly hostname: string;
    readonly endpoints: readonly EndpointRequest[];
    readonly ports: readonly PortRequest[];
    readonly resolver: ResolverConfig;
    readonly sysctls: Readonly<Record<string, string>>;
    /** Descriptor of a namespace that was made for it, because of who is to own it. The caller closes it afterwards. */
    readonly namespace?: number;
  }): Promise<SandboxState>;
  /**
   * Joins the endpoints of a sandbox that was just created, then publishes the ports of the gateway endpoint. On an error the sandbox is
   * gone as a whole.
   */
  joinSandbox(containerId: string): Promise<SandboxState>;
  /** Adds an endpoint to a running sandbox. Ports move to the new gateway endpoint where it changes. */
  connect(containerId: string, endpoint: EndpointRequest): Promise<SandboxState>;
  disconnect(containerId: string, networkId: string): Promise<SandboxState>;
  /** Admits pairs whose containers both are on the network now, until one of them leaves it; on a network that keeps nobody apart nothing happens. */
  admitLinked(networkId: string, pairs: readonly LinkedPair[]): Promise<void>;
  refuseLinked(networkId: string, pair: Pick<LinkedPair, "source" | "target">): void;
  /** Names of a running endpoint change (rename). */
  rename(containerId: string, networkId: string, dnsNames: readonly string[]): void;
  /** Ports and addresses are free when it returns; the namespace and its links go afterwards. Success when it is gone already. */
  removeSandbox(containerId: string): Promise<void>;
  /** Takes away everything this instance made on the host. */
  purge(): Promise<void>;
  close(): Promise<void>;
}
