import { existsSync, readFileSync } from "node:fs";
import { EngineError } from "#lib/errors.ts";
import type { Instance } from "#lib/instance.ts";
import { writeSysctl } from "#os/mount.ts";
import { addAddress } from "#os/netlink/address.ts";
import type { Family } from "#os/netlink/ip-address.ts";
import { changeLink, createBridge, type Link } from "#os/netlink/link.ts";
import type { RouteSocket } from "#os/netlink/route-socket.ts";
import { parseCidr } from "./cidr.ts";
import type { NetworkConfig } from "./types.ts";

/** The kernel's default for links of Ethernet. */
const defaultMtu = 1500;

/**
 * Makes a network's bridge, or brings the one that is there into its state. A bridge that somebody else made under the wanted name is used
 * and later left alone: only our own carry the instance's mark.
 * @returns the link's index
 * @throws {EngineError} `conflict` when a link of another kind has the name
 */
export function ensureBridge(route: RouteSocket, instance: Instance, network: NetworkConfig): number {
  const existing = route.link(network.bridge);
  if (existing && existing.kind !== "bridge")
    throw new EngineError(
      "conflict",
      `cannot create network ${network.id} (${network.bridge}): a link of this name exists and is no bridge`,
    );
  const index = existing?.index ?? makeBridge(route, instance, network);
  setBridgeSysctls(network);
  route.apply(
    changeLink(index, { up: true, ...(network.mtu > 0 && existing?.mtu !== network.mtu && { mtu: network.mtu }) }),
    ...network.subnets
      .filter((subnet) => subnet.gateway !== "")
      .map((subnet) => addAddress({ index, address: subnet.gateway, prefixLength: parseCidr(subnet.subnet)?.prefixLength ?? 0 })),
  );
  return index;
}

/** True for a bridge that this instance made: by its mark, or by its name when a crash came before the mark. */
export function isOwnBridge(instance: Instance, link: Link): boolean {
  if (link.kind !== "bridge") return false;
  const prefix = `${instance.linkPrefix}b`;
  const hasDerivedName = link.name.length === 15 && link.name.startsWith(prefix) && /^[0-9a-f]+$/.test(link.name.slice(prefix.length));
  return link.alias === markOf(instance) || (hasDerivedName && link.alias === undefined);
}

/** True for the host's end of a veth pair that this instance made. */
export function isOwnVeth(instance: Instance, link: Link): boolean {
  const prefix = `${instance.linkPrefix}v`;
  return (
    link.kind === "veth" && link.name.length === 15 && link.name.startsWith(prefix) && /^[0-9a-f]+$/.test(link.name.slice(prefix.length))
  );
}

const forwardingSysctls = { 4: "net/ipv4/ip_forward", 6: "net/ipv6/conf/all/forwarding" } as const;

/** Lets packets pass between links. @returns the families for which the host was no router before */
export function enableForwarding(families: readonly Family[]): Family[] {
  return [...new Set(families)].filter((family) => {
    const path = forwardingSysctls[family];
    const wasOff = existsSync(`/proc/sys/${path}`) && readFileSync(`/proc/sys/${path}`, "utf8").trim() === "0";
    if (wasOff) writeSysctl(path, "1");
    return wasOff;
  });
}

/** True while packets inside one bridge pass the IP filters too (module br_netfilter). */
export function bridgedPacketsAreFiltered(): boolean {
  try {
    return readFileSync("/proc/sys/net/bridge/bridge-nf-call-iptables", "utf8").trim() === "1";
  } catch {
    return false; // the module is not loaded
  }
}

function makeBridge(route: RouteSocket, instance: Instance, network: NetworkConfig): number {
  route.apply(createBridge({ name: network.bridge, mac: bridgeMac(network.id), mtu: network.mtu || defaultMtu }));
  const link = route.link(network.bridge);
  if (!link) throw new EngineError("internal", `bridge ${network.bridge} vanished while it was made`);
  route.apply(changeLink(link.index, { alias: markOf(instance) }));
  return link.index;
}

const markOf = (instance: Instance): string => `${instance.name} ${instance.id}`;

/** A locally administered address that is the same each time the bridge is made. */
function bridgeMac(networkId: string): string {
  const hex = new Bun.CryptoHasher("sha256").update(networkId).digest("hex");
  return `02:${hex.slice(0, 10).replace(/(..)(?=.)/g, "$1:")}`;
}

function setBridgeSysctls(network: NetworkConfig): void {
  const hasIpv6 = network.subnets.some((subnet) => subnet.family === 6);
  // Ports on the host's 127.0.0.1 lead to containers; the table's loopback guard closes what this would open.
  writeSysctl(`net/ipv4/conf/${network.bridge}/route_localnet`, "1");
  // Ports of a bridge that are kept apart do not even hear each other's questions for addresses. The host answers for all, and so what
  // linked containers send each other comes to the firewall, which lets it through or not.
  const isApart = !network.interContainer;
  writeSysctl(`net/ipv4/conf/${network.bridge}/proxy_arp_pvlan`, isApart ? "1" : "0");
  if (isApart) writeSysctl(`net/ipv4/neigh/${network.bridge}/proxy_delay`, "0");
  if (!existsSync("/proc/sys/net/ipv6")) return;
  writeSysctl(`net/ipv6/conf/${network.bridge}/accept_ra`, "0");
  // Nobody else is on a bridge that was just made; the second of waiting for a rival would be lost by the first container.
  writeSysctl(`net/ipv6/conf/${network.bridge}/accept_dad`, "0");
  writeSysctl(`net/ipv6/conf/${network.bridge}/disable_ipv6`, hasIpv6 ? "0" : "1");
}
