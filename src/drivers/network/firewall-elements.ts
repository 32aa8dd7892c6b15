import { addressBytes, familyOf } from "#os/netlink/ip-address.ts";
import { uint16BigEndian } from "#os/netlink/message.ts";
import { concatenation, linkNameKey, type SetElement } from "#os/nftables/element.ts";
import { addressBits, lastAddress, numberAddress, parseCidr } from "./cidr.ts";
import type { PortLease } from "./ports.ts";
import type { NetworkConfig, Protocol } from "./types.ts";

/** A member of one of the table's sets: as text for the script of the whole table, and encoded for single changes. */
export interface FirewallElement {
  readonly set: string;
  readonly text: string;
  readonly encoded: readonly SetElement[];
}

/** Addresses of IPv4, as links have. */
export interface LinkedFlow {
  readonly source: string;
  readonly target: string;
  readonly protocol: Protocol;
  readonly port: number;
}

const protocolNumbers: Readonly<Record<Protocol, number>> = { tcp: 6, udp: 17, sctp: 132 };
const wildcards = new Set(["0.0.0.0", "::"]);

/** What the table must know of a network with a bridge. */
export function networkElements(network: NetworkConfig): FirewallElement[] {
  const { bridge } = network;
  const key = linkNameKey(bridge);
  const elements: FirewallElement[] = [{ set: "bridges", text: quoted(bridge), encoded: [{ key }] }];
  if (network.internal) elements.push({ set: "internal", text: quoted(bridge), encoded: [{ key }] });
  if (network.interContainer)
    elements.push({ set: "inside", text: `${quoted(bridge)} . ${quoted(bridge)}`, encoded: [{ key: concatenation(key, key) }] });
  for (const { family, subnet } of network.subnets) {
    elements.push(intervalElement(`subnets${family}`, subnet));
    if (network.masquerade && !network.internal) elements.push(intervalElement(`masquerade${family}`, subnet));
  }
  return elements;
}

/** The redirection of one published port; none when the daemon alone forwards it. */
export function portElements(lease: PortLease): FirewallElement[] {
  if (!lease.redirected) return [];
  const { protocol, hostIp, hostPort, containerPort } = lease.published;
  const family = familyOf(hostIp) === 6 ? 6 : 4;
  const port = concatenation(Buffer.of(protocolNumbers[protocol]), uint16BigEndian(hostPort));
  const value = concatenation(addressBytes(lease.targetAddress), uint16BigEndian(containerPort));
  const target = `${lease.targetAddress} . ${containerPort}`;
  if (wildcards.has(hostIp))
    return [{ set: `published${family}`, text: `${protocol} . ${hostPort} : ${target}`, encoded: [{ key: port, value }] }];
  const key = Buffer.concat([addressBytes(hostIp), port]);
  return [{ set: `published_on_address${family}`, text: `${hostIp} . ${protocol} . ${hostPort} : ${target}`, encoded: [{ key, value }] }];
}

/** One container may open connections to a port of another. */
export function linkedElement({ source, target, protocol, port }: LinkedFlow): FirewallElement {
  const key = concatenation(addressBytes(source), addressBytes(target), Buffer.of(protocolNumbers[protocol]), uint16BigEndian(port));
  return { set: "linked", text: `${source} . ${target} . ${protocol} . ${port}`, encoded: [{ key }] };
}

/** The kernel keeps an interval as its first key and the first key behind it. */
function intervalElement(set: string, subnet: string): FirewallElement {
  const block = parseCidr(subnet);
  if (!block) throw new TypeError(`invalid subnet ${subnet}`);
  const address = numberAddress(block.family, block.base);
  const behind = lastAddress(block) + 1n;
  const isLast = behind >> BigInt(addressBits[block.family]) > 0n;
  const end: SetElement[] = isLast ? [] : [{ key: addressBytes(numberAddress(block.family, behind)), intervalEnd: true }];
  return { set, text: `${address}/${block.prefixLength}`, encoded: [{ key: addressBytes(address) }, ...end] };
}

const quoted = (name: string): string => `"${name}"`;
