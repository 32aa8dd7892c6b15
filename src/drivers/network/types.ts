/** A network as the driver needs it; the engine's record holds it. Only the bridge driver makes something on the host. */
export interface NetworkConfig {
  readonly id: string;
  readonly name: string;
  readonly driver: "bridge" | "host" | "null";
  /** Name of the Linux bridge. */
  readonly bridge: string;
  readonly subnets: readonly Subnet[];
  readonly internal: boolean;
  /** Containers of one network may talk to each other (`com.docker.network.bridge.enable_icc`). */
  readonly interContainer: boolean;
  readonly masquerade: boolean;
  /** Default host address of published ports (`com.docker.network.bridge.host_binding_ipv4`); empty: all. */
  readonly hostBinding: string;
  readonly mtu: number;
  /** User-defined networks resolve names of containers at 127.0.0.11; the default bridge does not. */
  readonly nameResolution: boolean;
}

export interface Subnet {
  readonly family: 4 | 6;
  /** CIDR, for example 172.18.0.0/16. */
  readonly subnet: string;
  readonly gateway: string;
  /** CIDR inside the subnet from which addresses are given out; the subnet itself when absent. */
  readonly ipRange?: string;
  /** Addresses never given out: name → address. */
  readonly auxiliary: Readonly<Record<string, string>>;
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
  readonly linkLocal: readonly string[];
  /** Order of default gateways: the highest wins. */
  readonly gatewayPriority: number;
  /** Name of the link inside the container (`com.docker.network.endpoint.ifname`); absent: next free ethN. */
  readonly interfaceName?: string;
}

/** What an endpoint got. Stored with the container's record; enough to restore the driver's state after a restart. */
export interface EndpointState {
  readonly endpointId: string;
  readonly networkId: string;
  readonly ipv4?: string;
  readonly ipv4PrefixLength?: number;
  readonly ipv4Gateway?: string;
  readonly ipv6?: string;
  readonly ipv6PrefixLength?: number;
  readonly ipv6Gateway?: string;
  readonly mac: string;
  /** Link on the host and in the container. */
  readonly hostLink: string;
  readonly interfaceName: string;
  readonly dnsNames: readonly string[];
  readonly gatewayPriority: number;
}

export type Protocol = "tcp" | "udp" | "sctp";

/** One wanted published port. Host port 0: ephemeral; a range: the first free of it. */
export interface PortRequest {
  readonly protocol: Protocol;
  readonly containerPort: number;
  /** Host address; "" for all addresses of both families. */
  readonly hostIp: string;
  readonly hostPortFirst: number;
  readonly hostPortLast: number;
}

/** One port as it is published, one per host address family. */
export interface PublishedPort {
  readonly protocol: Protocol;
  readonly containerPort: number;
  readonly hostIp: string;
  readonly hostPort: number;
}

/** A network namespace of one container, with what is needed to adopt it after a restart of the daemon. */
export interface SandboxState {
  readonly containerId: string;
  readonly netnsPath: string;
  readonly endpoints: readonly EndpointState[];
  readonly ports: readonly PublishedPort[];
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

  /** Makes a network namespace with lo up and joins the endpoints, then publishes the ports of the gateway endpoint. */
  createSandbox(request: {
    readonly containerId: string;
    readonly hostname: string;
    readonly endpoints: readonly EndpointRequest[];
    readonly ports: readonly PortRequest[];
    readonly resolver: ResolverConfig;
    readonly sysctls: Readonly<Record<string, string>>;
  }): Promise<SandboxState>;
  /** Adds an endpoint to a running sandbox. Ports move to the new gateway endpoint where it changes. */
  connect(containerId: string, endpoint: EndpointRequest): Promise<SandboxState>;
  disconnect(containerId: string, networkId: string): Promise<SandboxState>;
  /** Names of a running endpoint change (rename). */
  rename(containerId: string, networkId: string, dnsNames: readonly string[]): void;
  /** Ports and addresses are free when it returns; the namespace and its links go afterwards. Success when it is gone already. */
  removeSandbox(containerId: string): Promise<void>;
  /** Takes away everything this instance made on the host. */
  purge(): Promise<void>;
  close(): Promise<void>;
}
