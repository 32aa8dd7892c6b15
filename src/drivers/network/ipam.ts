import { EngineError } from "#lib/errors.ts";
import { familyOf, type Family } from "#os/netlink/ip-address.ts";
import { AddressPool } from "./address-pool.ts";
import { addressBits, blockSize, containsAddress, contains, formatCidr, numberAddress, overlaps, parseCidr, type Cidr } from "./cidr.ts";
import type { NetworkConfig, Subnet } from "./types.ts";

type NetworkPools = Pick<NetworkConfig, "id" | "name" | "subnets">;

/** Address management of all networks: which subnet belongs to whom, and which addresses are given out. Pure state, nothing of the host. */
export class AddressManagement {
  readonly #networks = new Map<string, { readonly name: string; readonly pools: readonly AddressPool[] }>();

  /** @throws {EngineError} `forbidden` when a subnet overlaps one of another network; then nothing is registered */
  register(network: NetworkPools): void {
    const pools = network.subnets.map((subnet) => new AddressPool(subnet));
    const others = [...this.#networks].filter(([id]) => id !== network.id).flatMap(([, { pools }]) => pools);
    const taken = others.map((pool) => pool.subnet);
    for (const { subnet } of pools) {
      if (taken.some((other) => overlaps(other, subnet)))
        throw new EngineError("forbidden", "invalid pool request: Pool overlaps with other one on this address space");
      taken.push(subnet);
    }
    this.#networks.set(network.id, { name: network.name, pools });
  }

  unregister(networkId: string): void {
    this.#networks.delete(networkId);
  }

  /** True when the network has a subnet of this family. */
  has(networkId: string, family: Family): boolean {
    return this.#pools(networkId, family).length > 0;
  }

  /**
   * @param wanted the address asked for; absent: the lowest free one
   * @throws {EngineError} `invalid` when `wanted` lies in no subnet, `forbidden` when it is taken, `internal` when nothing is free (Docker's texts)
   */
  allocate(networkId: string, family: Family, wanted?: string): { readonly address: string; readonly prefixLength: number } {
    const pools = this.#pools(networkId, family);
    if (wanted !== undefined) return this.#allocateWanted(pools, wanted);
    for (const pool of pools) {
      const address = pool.take();
      if (address !== undefined) return { address, prefixLength: pool.subnet.prefixLength };
    }
    const name = this.#networks.get(networkId)?.name ?? "";
    throw new EngineError("internal", `no available IPv${family} addresses on this network's address pools: ${name} (${networkId})`);
  }

  /** Marks an address of a record as taken; false when it was, or when no pool has it. */
  adopt(networkId: string, address: string): boolean {
    return this.#poolOf(networkId, address)?.adopt(address) ?? false;
  }

  release(networkId: string, address: string): void {
    this.#poolOf(networkId, address)?.release(address);
  }

  /** Subnets of all registered networks. */
  subnets(): Cidr[] {
    return [...this.#networks.values()].flatMap(({ pools }) => pools.map((pool) => pool.subnet));
  }

  #allocateWanted(pools: readonly AddressPool[], wanted: string): { readonly address: string; readonly prefixLength: number } {
    const pool = pools.find((candidate) => containsAddress(candidate.subnet, wanted));
    if (!pool) throw new EngineError("invalid", `no configured subnet or ip-range contain the IP address ${wanted}`);
    pool.takeWanted(wanted);
    return { address: wanted, prefixLength: pool.subnet.prefixLength };
  }

  #pools(networkId: string, family: Family): AddressPool[] {
    return (this.#networks.get(networkId)?.pools ?? []).filter((pool) => pool.subnet.family === family);
  }

  #poolOf(networkId: string, address: string): AddressPool | undefined {
    const family = familyOf(address);
    return family && this.#pools(networkId, family).find((pool) => containsAddress(pool.subnet, address));
  }
}

/** Docker's default pools: sixteen blocks of 172.16.0.0/12 but its first, then sixteen of 192.168.0.0/16. Source: dockerd, default-address-pools. */
export function defaultIpv4Subnets(): Cidr[] {
  const large = Array.from({ length: 15 }, (_, index) => `172.${17 + index}.0.0/16`);
  const small = Array.from({ length: 16 }, (_, index) => `192.168.${16 * index}.0/20`);
  return [...large, ...small].flatMap((text) => parseCidr(text) ?? []);
}

/** Blocks of /64 of the unique local prefix fdXX:XXXX:XXXX::/48 whose 40 bits come from the instance. Source: RFC 4193, 3.2. */
export function* uniqueLocalSubnets(seed: string): Generator<Cidr> {
  const prefix = BigInt(`0xfd${new Bun.CryptoHasher("sha256").update(seed).digest("hex").slice(0, 10)}`) << 80n;
  const size = blockSize({ family: 6, prefixLength: 64 });
  for (let index = 0n; index < 65536n; index++) yield { family: 6, base: prefix + index * size, prefixLength: 64 };
}

/** The first candidate that overlaps none of `taken`. @throws {EngineError} `internal` with Docker's text when there is none */
export function firstFreeSubnet(candidates: Iterable<Cidr>, taken: readonly Cidr[]): Subnet {
  for (const candidate of candidates) {
    if (taken.some((other) => overlaps(candidate, other))) continue;
    const { family, base } = candidate;
    return { family, subnet: formatCidr(candidate), gateway: numberAddress(family, base + 1n), auxiliary: {} };
  }
  throw new EngineError("internal", "all predefined address pools have been fully subnetted");
}

/**
 * The gateway of a subnet for which none was asked: the first address that can be given out, of the range where one is set.
 * Source: libnetwork, bridge driver.
 */
export function defaultGateway(subnet: string, ipRange?: string): string | undefined {
  const pool = new AddressPool({ family: 4, subnet, gateway: "", auxiliary: {}, ...(ipRange !== undefined && { ipRange }) });
  return pool.take();
}

/** Faults of subnets as a client gave them, one line each, with Docker's texts; none when all is well. Source: moby, ValidateIPAM. */
export function subnetFaults(subnets: readonly Subnet[]): string[] {
  return subnets.flatMap((config) => {
    const subnet = parseCidr(config.subnet);
    if (!subnet) return [`invalid subnet ${config.subnet}: invalid CIDR block notation`];
    return [...notMasked("subnet", config.subnet, subnet), ...rangeFaults(config, subnet), ...addressFaults(config, subnet)];
  });
}

function rangeFaults(config: Subnet, subnet: Cidr): string[] {
  if (config.ipRange === undefined || config.ipRange === "") return [];
  const range = parseCidr(config.ipRange);
  if (!range) return [`invalid ip-range ${config.ipRange}: invalid CIDR block notation`];
  if (range.family !== subnet.family) return [`invalid ip-range ${config.ipRange}: parent subnet is an IPv${subnet.family} block`];
  const outside = contains(subnet, range)
    ? []
    : [`invalid ip-range ${config.ipRange}: parent subnet ${config.subnet} doesn't contain ip-range`];
  return [...notMasked("ip-range", config.ipRange, range), ...outside];
}

function addressFaults(config: Subnet, subnet: Cidr): string[] {
  const named = [
    ...(config.gateway === "" ? [] : [["gateway", config.gateway, config.gateway] as const]),
    ...Object.entries(config.auxiliary).map(([name, address]) => ["auxiliary address", address, name] as const),
  ];
  return named.flatMap(([what, address, shown]) => {
    const family = familyOf(address);
    if (!family) return [`invalid ${what} ${shown}: invalid address`];
    if (family !== subnet.family) return [`invalid ${what} ${shown}: parent subnet is an IPv${subnet.family} block`];
    return containsAddress(subnet, address)
      ? []
      : [`invalid ${what} ${shown}: parent subnet ${config.subnet} doesn't contain this address`];
  });
}

function notMasked(what: string, text: string, block: Cidr): string[] {
  const isMasked = parseCidr(`${text.split("/")[0]}/${addressBits[block.family]}`)?.base === block.base;
  return isMasked ? [] : [`invalid ${what} ${text}: it should be ${formatCidr(block)}`];
}
