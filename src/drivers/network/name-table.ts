import type { Family } from "#os/netlink/ip-address.ts";
import type { EndpointState } from "./types.ts";

/** Names of one network: name → endpoints, address → name. */
class NetworkNames {
  readonly networkName: string;
  readonly #endpoints = new Map<string, Set<EndpointState>>();
  readonly #reverse = new Map<string, string>();

  constructor(networkName: string) {
    this.networkName = networkName;
  }

  add(endpoint: EndpointState): void {
    for (const name of endpoint.dnsNames) {
      const key = name.toLowerCase();
      this.#endpoints.set(key, (this.#endpoints.get(key) ?? new Set()).add(endpoint));
    }
    const [first] = endpoint.dnsNames;
    if (first !== undefined) for (const address of addressesOf(endpoint)) this.#reverse.set(address, first);
  }

  remove(endpoint: EndpointState): void {
    for (const name of endpoint.dnsNames) {
      const key = name.toLowerCase();
      const endpoints = this.#endpoints.get(key);
      endpoints?.delete(endpoint);
      if (endpoints?.size === 0) this.#endpoints.delete(key);
    }
    for (const address of addressesOf(endpoint)) this.#reverse.delete(address);
  }

  endpoints(name: string): readonly EndpointState[] {
    return [...(this.#endpoints.get(name) ?? [])];
  }

  nameOf(address: string): string | undefined {
    return this.#reverse.get(address);
  }
}

/** What the DNS server of one sandbox may ask. */
export interface NameLookup {
  /** Addresses of one family; empty when the name has only others; undefined when nobody has the name. */
  addresses(name: string, family: Family): readonly string[] | undefined;
  /** `container.network`; undefined for foreign addresses. */
  nameOf(address: string): string | undefined;
}

/** Names of all running endpoints on networks that resolve names. A lookup sees only the networks it was made for. */
export class NameTable {
  readonly #networks = new Map<string, NetworkNames>();

  add(networkName: string, endpoint: EndpointState): void {
    const names = this.#networks.get(endpoint.networkId) ?? new NetworkNames(networkName);
    this.#networks.set(endpoint.networkId, names);
    names.add(endpoint);
  }

  remove(endpoint: EndpointState): void {
    this.#networks.get(endpoint.networkId)?.remove(endpoint);
  }

  removeNetwork(networkId: string): void {
    this.#networks.delete(networkId);
  }

  /** @param endpoints those of who looks up, asked each time: a running container may be connected and disconnected */
  lookup(endpoints: () => readonly Pick<EndpointState, "networkId" | "links">[]): NameLookup {
    const namesOf = (networkId: string): NetworkNames | undefined => this.#networks.get(networkId);
    return {
      addresses(name, family) {
        const key = name.toLowerCase();
        const found = endpoints().flatMap(({ networkId, links }) => {
          const network = namesOf(networkId);
          return network ? endpointsNamed(network, linkedName(links, key) ?? key) : [];
        });
        if (found.length === 0) return undefined;
        return found.flatMap((endpoint) => (family === 4 ? endpoint.ipv4 : endpoint.ipv6) ?? []);
      },
      nameOf(address) {
        for (const { networkId } of endpoints()) {
          const network = namesOf(networkId);
          const name = network?.nameOf(address);
          if (name !== undefined) return `${name}.${network?.networkName}`;
        }
        return undefined;
      },
    };
  }
}

/** What a link of the asking container's own means by the name. */
function linkedName(links: EndpointState["links"], key: string): string | undefined {
  if (!links) return undefined;
  return Object.entries(links)
    .find(([alias]) => alias.toLowerCase() === key)?.[1]
    .toLowerCase();
}

/** By the name, or by `name.network`. */
function endpointsNamed(network: NetworkNames, key: string): readonly EndpointState[] {
  const suffix = `.${network.networkName.toLowerCase()}`;
  const plain = network.endpoints(key);
  return plain.length > 0 || !key.endsWith(suffix) ? plain : network.endpoints(key.slice(0, -suffix.length));
}

const addressesOf = (endpoint: EndpointState): string[] => [endpoint.ipv4, endpoint.ipv6].flatMap((address) => address ?? []);
