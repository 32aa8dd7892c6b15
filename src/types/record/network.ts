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
  /** The subnet was asked for without a gateway, and the engine chose it: not shown as part of the configuration. */
  readonly gatewayChosen?: true;
  /** CIDR inside the subnet from which addresses are given out; the subnet itself when absent. */
  readonly ipRange?: string;
  /** Addresses never given out: name → address. */
  readonly auxiliary: Readonly<Record<string, string>>;
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
  /** Names that this container alone uses for others on the network: alias → name. */
  readonly links?: Readonly<Record<string, string>>;
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

/** A network as the engine keeps it. */
export interface NetworkRecord {
  readonly config: NetworkConfig;
  /** RFC 3339. */
  readonly createdAt: string;
  readonly scope: "local";
  readonly enableIpv4: boolean;
  readonly enableIpv6: boolean;
  readonly attachable: boolean;
  readonly ingress: boolean;
  readonly configOnly: boolean;
  readonly configFrom: string;
  readonly ipamDriver: string;
  /** Null: none were given. */
  readonly ipamOptions: Readonly<Record<string, string>> | null;
  readonly options: Readonly<Record<string, string>>;
  readonly labels: Readonly<Record<string, string>>;
}
