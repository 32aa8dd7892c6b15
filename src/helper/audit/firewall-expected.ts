import ipaddr from "ipaddr.js";
import type { NetworkConfig, PublishedPort } from "#types/record/network.ts";
import type { LiveContainer, Records } from "./records.ts";

/** An element that the instance's nft table must have. */
export interface Expected {
  /** `SET KEY`, as nft prints the key. */
  readonly key: string;
  /** `ADDRESS . PORT` of the container, one of them; empty for members of sets. */
  readonly targets: readonly string[];
  readonly owner: string;
}

const wildcards = new Set(["0.0.0.0", "::"]);

/** From the records alone: what each network and each published port needs. */
export function expectedElements(records: Records): Expected[] {
  return [
    ...[...records.networks.values()].filter(({ config }) => config.driver === "bridge").flatMap(({ config }) => ofNetwork(config)),
    ...records.live.flatMap(ofContainer),
  ];
}

function ofNetwork(network: NetworkConfig): Expected[] {
  const { bridge, id, subnets, internal, masquerade, interContainer } = network;
  const keys = [`bridges ${bridge}`];
  if (internal) keys.push(`internal ${bridge}`);
  if (interContainer) keys.push(`inside ${bridge} . ${bridge}`);
  for (const { family, subnet } of subnets) {
    keys.push(`subnets${family} ${blockOf(subnet)}`);
    if (masquerade && !internal) keys.push(`masquerade${family} ${blockOf(subnet)}`);
  }
  return keys.map((key) => ({ key, targets: [], owner: id }));
}

function ofContainer({ id, sandbox }: LiveContainer): Expected[] {
  return (sandbox?.ports ?? []).flatMap((port) => {
    const { family, key } = keyOf(port);
    const addresses = (sandbox?.endpoints ?? []).flatMap(({ ipv4, ipv6 }) => (family === 6 ? ipv6 : ipv4) ?? []);
    // The daemon itself forwards what the kernel cannot redirect: [::1], and one family to the other.
    if (addresses.length === 0 || port.hostIp === "::1") return [];
    return [{ key, targets: addresses.map((address) => `${canonical(address)} . ${port.containerPort}`), owner: id }];
  });
}

function keyOf({ hostIp, hostPort, protocol }: PublishedPort): { readonly family: 4 | 6; readonly key: string } {
  const family = hostIp.includes(":") ? 6 : 4;
  if (wildcards.has(hostIp)) return { family, key: `published${family} ${protocol} . ${hostPort}` };
  return { family, key: `published_on_address${family} ${canonical(hostIp)} . ${protocol} . ${hostPort}` };
}

/** As nft prints it: network address with prefix, a single address without. */
function blockOf(subnet: string): string {
  const [address, length] = ipaddr.parseCIDR(subnet);
  const isV4 = address.kind() === "ipv4";
  const base = isV4 ? ipaddr.IPv4.networkAddressFromCIDR(subnet) : ipaddr.IPv6.networkAddressFromCIDR(subnet);
  return length === (isV4 ? 32 : 128) ? base.toString() : `${base.toString()}/${length}`;
}

const canonical = (address: string): string => ipaddr.parse(address).toString();
