import { closeSync, existsSync, openSync } from "node:fs";
import { EngineError } from "#lib/errors.ts";
import { SystemError } from "#os/libc.ts";
import { createNetworkNamespace, inNetworkNamespace, nameNetworkNamespace, setNamespaceSysctls, type Sysctl } from "#os/netns.ts";
import { addAddress } from "#os/netlink/address.ts";
import { familyOf } from "#os/netlink/ip-address.ts";
import { changeBridgePort, changeLink, createVethPair } from "#os/netlink/link.ts";
import type { NetlinkRequest } from "#os/netlink/message.ts";
import { removeRoute, replaceRoute } from "#os/netlink/route.ts";
import { RouteSocket } from "#os/netlink/route-socket.ts";
import { NftablesSocket } from "#os/nftables/nftables-socket.ts";
import { openResolverSockets, type ResolverSockets } from "./resolver.ts";
import type { EndpointState } from "./types.ts";

const loopbackIndex = 1;
const linkLocalPrefix = { 4: 16, 6: 64 } as const;

/** A namespace without a name, with lo up, that no container has yet. Disposing it is its end. */
export interface SpareNamespace extends Disposable {
  readonly descriptor: number;
  readonly route: RouteSocket;
}

export function makeSpareNamespace(): SpareNamespace {
  const { descriptor, made: route } = createNetworkNamespace(initialSysctls(), openRouteWithLoopback);
  return spareOf(descriptor, route);
}

/** The same of a namespace that somebody else has made, whose descriptor stays theirs. */
export function takeNamespace(given: number): SpareNamespace {
  const path = `/proc/self/fd/${given}`;
  const descriptor = openSync(path, "r");
  try {
    setNamespaceSysctls(path, initialSysctls());
    return spareOf(descriptor, inNetworkNamespace(path, openRouteWithLoopback));
  } catch (error) {
    closeSync(descriptor);
    throw error;
  }
}

/** lo has to be up before the resolver's sockets are bound to its address. */
function openRouteWithLoopback(): RouteSocket {
  const route = new RouteSocket();
  route.apply(changeLink(loopbackIndex, { up: true }));
  return route;
}

function spareOf(descriptor: number, route: RouteSocket): SpareNamespace {
  return {
    descriptor,
    route,
    [Symbol.dispose]() {
      route[Symbol.dispose]();
      closeSync(descriptor);
    },
  };
}

/** A namespace that a container is to have, and a socket that talks to it from anywhere. */
export interface NamedNamespace {
  readonly path: string;
  readonly route: RouteSocket;
}

/** Gives a namespace its name. Whatever happens, it is not spare any more. */
export function nameNamespace({ descriptor, route }: SpareNamespace, path: string): NamedNamespace {
  try {
    nameNetworkNamespace(descriptor, path);
    return { path, route };
  } catch (error) {
    route[Symbol.dispose]();
    throw error;
  } finally {
    closeSync(descriptor);
  }
}

/**
 * Gives a namespace a container's settings, and the sockets of its DNS server where names are resolved.
 * @throws {EngineError} `invalid` for a setting that is no network setting
 */
export function openNamespace(path: string, sysctls: Readonly<Record<string, string>>, withResolver: boolean): ResolverSockets | undefined {
  setNamespaceSysctls(
    path,
    networkSysctls(sysctls).filter((sysctl) => !isOfLink(sysctl)),
  );
  return withResolver ? openResolver(path, false) : undefined;
}

/** A socket that talks to a namespace that is there. */
export function openNamespaceRoute(path: string): RouteSocket {
  return inNetworkNamespace(path, () => new RouteSocket());
}

/** The DNS server's sockets for a namespace that is there; the redirection of earlier ones is replaced. */
export function reopenResolverSockets(path: string): ResolverSockets {
  return openResolver(path, true);
}

function openResolver(path: string, replaces: boolean): ResolverSockets {
  const { nftables, sockets } = inNetworkNamespace(path, () => {
    const nftables = new NftablesSocket();
    return { nftables, sockets: openResolverSockets(nftables, replaces) };
  });
  nftables.closeInBackground();
  return sockets;
}

export interface EndpointLink {
  readonly endpoint: EndpointState;
  readonly linkLocal: readonly string[];
  /** Index of the network's bridge. */
  readonly bridgeIndex: number;
  readonly mtu: number;
  /** No frames to other containers of the network. */
  readonly isolated: boolean;
  /** Frames may come back to this container: it can reach its own published ports while br_netfilter is loaded. */
  readonly hairpin: boolean;
}

/**
 * Makes the veth pair of an endpoint and configures the container's end.
 * @throws {SystemError} EEXIST while an earlier link of the same endpoint is on its way out
 */
export function attachEndpoint(host: RouteSocket, inner: RouteSocket, netnsPath: string, link: EndpointLink): void {
  const { endpoint } = link;
  const namespace = openSync(netnsPath, "r");
  try {
    const peer = { name: endpoint.interfaceName, mac: endpoint.mac, namespace };
    host.apply(createVethPair({ name: endpoint.hostLink, master: link.bridgeIndex, mtu: link.mtu, peer }));
  } finally {
    closeSync(namespace);
  }
  if (link.isolated || link.hairpin) host.apply(changeBridgePort(endpoint.hostLink, { isolated: link.isolated, hairpin: link.hairpin }));
  if (endpoint.ipv6 !== undefined) {
    const name = endpoint.interfaceName;
    setNamespaceSysctls(netnsPath, [
      { path: `net/ipv6/conf/${name}/disable_ipv6`, value: "0" },
      { path: `net/ipv6/conf/${name}/accept_ra`, value: "0" },
    ]);
  }
  inner.apply(...endpointRequests(inner, link));
}

/** Settings of single links, once these exist. */
export function applyLinkSysctls(netnsPath: string, sysctls: Readonly<Record<string, string>>): void {
  setNamespaceSysctls(netnsPath, networkSysctls(sysctls).filter(isOfLink));
}

/** Makes the gateways the default routes; of a family without gateway there is none. */
export function setDefaultRoutes(inner: RouteSocket, gateways: { readonly 4?: string; readonly 6?: string }): void {
  for (const family of [4, 6] as const) {
    const gateway = gateways[family];
    if (gateway !== undefined) inner.apply(replaceRoute({ family, prefixLength: 0, gateway }));
    else for (const route of inner.routes()) if (route.family === family && route.prefixLength === 0) inner.apply(removeRoute(route));
  }
}

/** Cuts an endpoint off at once; the kernel frees the link with its namespace. A link that is gone is a success. */
export function silenceEndpoint(host: RouteSocket, endpoint: EndpointState): void {
  try {
    host.apply(changeBridgePort(endpoint.hostLink, { disabled: true }));
  } catch (error) {
    if (!(error instanceof SystemError && ["ENODEV", "EINVAL", "EOPNOTSUPP"].includes(error.code))) throw error;
  }
}

function endpointRequests(inner: RouteSocket, { endpoint, linkLocal }: EndpointLink): NetlinkRequest[] {
  const index = inner.link(endpoint.interfaceName)?.index;
  if (index === undefined) throw new EngineError("internal", `link ${endpoint.interfaceName} is not in its namespace`);
  const addresses: { readonly address: string; readonly prefixLength: number }[] = [];
  if (endpoint.ipv4 !== undefined) addresses.push({ address: endpoint.ipv4, prefixLength: endpoint.ipv4PrefixLength ?? 32 });
  if (endpoint.ipv6 !== undefined) addresses.push({ address: endpoint.ipv6, prefixLength: endpoint.ipv6PrefixLength ?? 128 });
  for (const address of linkLocal) addresses.push({ address, prefixLength: linkLocalPrefix[familyOf(address) ?? 4] });
  return [...addresses.map((address) => addAddress({ index, ...address })), changeLink(index, { up: true })];
}

/** IPv6 stays off on links without an IPv6 address; new links tell their neighbours who has the address now, since addresses are used again. */
function initialSysctls(): Sysctl[] {
  const ipv4 = [{ path: "net/ipv4/conf/default/arp_notify", value: "1" }];
  if (!existsSync("/proc/sys/net/ipv6")) return ipv4;
  return [
    ...ipv4,
    { path: "net/ipv6/conf/default/ndisc_notify", value: "1" },
    { path: "net/ipv6/conf/default/accept_dad", value: "0" },
    { path: "net/ipv6/conf/default/disable_ipv6", value: "1" },
  ];
}

/** `net.*` settings as paths below /proc/sys. In a name, dot and slash change places: `net.ipv4.conf.eth0/1.forwarding`. Source: sysctl(8). */
function networkSysctls(sysctls: Readonly<Record<string, string>>): Sysctl[] {
  return Object.entries(sysctls).map(([name, value]) => {
    const path = name.replace(/[./]/g, (character) => (character === "." ? "/" : "."));
    if (!/^net\/[A-Za-z0-9_./-]+$/.test(path) || path.split("/").some((part) => part === "" || part === "." || part === ".."))
      throw new EngineError("invalid", `sysctl '${name}' is not allowed`);
    return { path, value };
  });
}

/** True for a setting of a single link, which must exist before. */
function isOfLink({ path }: Sysctl): boolean {
  const link = /^net\/(?:ipv4|ipv6|mpls)\/(?:conf|neigh)\/([^/]+)\//.exec(path)?.[1];
  return link !== undefined && !["all", "default", "lo"].includes(link);
}
