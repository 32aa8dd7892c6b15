import { closeSync, readFileSync } from "node:fs";
import { EngineError } from "#lib/errors.ts";
import { SystemError } from "#os/libc.ts";
import { familyOf } from "#os/netlink/ip-address.ts";
import { openBoundSocket } from "#os/socket.ts";
import type { PortRequest, Protocol, PublishedPort } from "./types.ts";

/** Addresses of the container to which published ports lead. */
export interface PortTarget {
  readonly ipv4?: string;
  readonly ipv6?: string;
}

/** One published port as long as it is held. */
export interface PortLease {
  readonly published: PublishedPort;
  /** Address of the container: of the host address's family where it has one. */
  readonly targetAddress: string;
  /** The kernel redirects packets to the container. */
  readonly redirected: boolean;
  /**
   * A listener of the daemon forwards: to [::1], which the kernel cannot redirect, and across families. `descriptor` is then a listening
   * socket for the forwarder, which owns it.
   */
  readonly forwarded: boolean;
  /** Holds the port against other programs; absent where the protocol has no sockets here. */
  readonly descriptor?: number;
}

const wildcards = { 4: "0.0.0.0", 6: "::" } as const;
/** Ports of the ephemeral range that other programs hold, before a search gives up. */
const maximumForeignPorts = 1000;

/** Gives out host ports and holds them by bound sockets: without a userland proxy nobody else would, and another program could take them. */
export class PortAllocator {
  readonly #ephemeral: { readonly first: number; readonly last: number };
  #nextEphemeral: number;
  /** Protocol and port → host addresses given out. */
  readonly #taken = new Map<string, Set<string>>();

  constructor(ephemeral: { readonly first: number; readonly last: number } = ephemeralRange()) {
    this.#ephemeral = ephemeral;
    this.#nextEphemeral = ephemeral.first;
  }

  /** All or none, in the order of the requests. @throws {EngineError} `internal` with Docker's texts when a port is taken */
  allocate(requests: readonly PortRequest[], target: PortTarget): PortLease[] {
    const leases: (readonly PortLease[])[] = [];
    // Fixed ports first: an ephemeral one of this container must not take them.
    const order = [...requests.entries()].sort(([, a], [, b]) => freedom(a) - freedom(b));
    try {
      for (const [index, request] of order) leases[index] = this.#allocateOne(request, target);
      return leases.flat();
    } catch (error) {
      this.#abandon(leases.filter(Boolean).flat());
      throw error;
    }
  }

  /** Takes back a port that a record says is published. @throws {EngineError} when somebody else holds it */
  adopt(published: PublishedPort, target: PortTarget): PortLease {
    return this.#bind(published, target);
  }

  /** Ports are free afterwards. Descriptors of forwarded leases belong to their forwarder. */
  release(leases: readonly PortLease[]): void {
    for (const { published, descriptor, forwarded } of leases) {
      if (descriptor !== undefined && !forwarded) closeSync(descriptor);
      this.#forget(published);
    }
  }

  /** Releases leases that no forwarder has taken over. */
  #abandon(leases: readonly PortLease[]): void {
    for (const lease of leases) if (lease.forwarded && lease.descriptor !== undefined) closeSync(lease.descriptor);
    this.release(leases);
  }

  /** Marks the port of a lease as free; its socket is somebody else's. */
  #forget(published: PublishedPort): void {
    const key = portKey(published.protocol, published.hostPort);
    const addresses = this.#taken.get(key);
    addresses?.delete(published.hostIp);
    if (addresses?.size === 0) this.#taken.delete(key);
  }

  #allocateOne(request: PortRequest, target: PortTarget): PortLease[] {
    let failure: unknown;
    let attempts = 0;
    for (const port of this.#candidates(request)) {
      try {
        return this.#bindAll(request, port, target);
      } catch (error) {
        failure = error;
        if (++attempts === maximumForeignPorts) break;
      }
    }
    throw failure ?? new EngineError("internal", "all ports are allocated");
  }

  *#candidates(request: PortRequest): Generator<number> {
    if (request.hostPortFirst > 0) {
      for (let port = request.hostPortFirst; port <= request.hostPortLast; port++) yield port;
      return;
    }
    const { first, last } = this.#ephemeral;
    const start = this.#nextEphemeral;
    for (let step = 0; step <= last - first; step++) {
      const port = first + ((start - first + step) % (last - first + 1));
      if (this.#taken.has(portKey(request.protocol, port))) continue;
      this.#nextEphemeral = port === last ? first : port + 1;
      yield port;
    }
  }

  /** The same port on every host address of the request. */
  #bindAll(request: PortRequest, hostPort: number, target: PortTarget): PortLease[] {
    const leases: PortLease[] = [];
    const { protocol, containerPort } = request;
    try {
      for (const hostIp of request.hostIp === "" ? Object.values(wildcards) : [request.hostIp]) {
        const published: PublishedPort = { protocol, containerPort, hostIp, hostPort };
        if (canPublish(published, target, request.hostIp === "")) leases.push(this.#bind(published, target));
      }
      return leases;
    } catch (error) {
      this.#abandon(leases);
      throw error;
    }
  }

  #bind(published: PublishedPort, target: PortTarget): PortLease {
    const { protocol, hostIp, hostPort } = published;
    if (this.#isTaken(published)) throw new EngineError("internal", `Bind for ${hostIp}:${hostPort} failed: port is already allocated`);
    const lease = leaseOf(published, target);
    const descriptor = reserve(lease);
    const key = portKey(protocol, hostPort);
    const addresses = this.#taken.get(key) ?? new Set();
    this.#taken.set(key, addresses.add(hostIp));
    return descriptor === undefined ? lease : { ...lease, descriptor };
  }

  #isTaken({ protocol, hostIp, hostPort }: PublishedPort): boolean {
    const addresses = this.#taken.get(portKey(protocol, hostPort));
    if (!addresses) return false;
    const wildcard = wildcards[familyOf(hostIp) ?? 4];
    const sameFamily = [...addresses].filter((address) => familyOf(address) === familyOf(hostIp));
    return hostIp === wildcard ? sameFamily.length > 0 : addresses.has(hostIp) || addresses.has(wildcard);
  }
}

/** The range from which the kernel itself takes ports; Docker publishes from the same. Source: ip(7). */
export function ephemeralRange(): { first: number; last: number } {
  const [first = 32768, last = 60999] = readFileSync("/proc/sys/net/ipv4/ip_local_port_range", "utf8").trim().split(/\s+/).map(Number);
  return { first, last };
}

function freedom(request: PortRequest): number {
  if (request.hostPortFirst === 0) return 2;
  return request.hostPortFirst === request.hostPortLast ? 0 : 1;
}

const portKey = (protocol: Protocol, port: number): string => `${protocol}/${port}`;

/** On "all addresses" a family that cannot work here is left out; an address that was asked for by name is tried and fails with its reason. */
function canPublish(published: PublishedPort, target: PortTarget, isImplied: boolean): boolean {
  const family = familyOf(published.hostIp) ?? 4;
  if (target.ipv4 === undefined && target.ipv6 === undefined) return false;
  const reachable = (family === 4 ? target.ipv4 : target.ipv6) !== undefined;
  if (published.protocol === "sctp" && !reachable) return false;
  return !isImplied || family === 4 || hostHasIpv6();
}

let ipv6: boolean | undefined;
function hostHasIpv6(): boolean {
  if (ipv6 === undefined) {
    try {
      closeSync(openBoundSocket({ protocol: "udp", address: "::", port: 0 }));
      ipv6 = true;
    } catch {
      ipv6 = false; // no IPv6 in this kernel
    }
  }
  return ipv6;
}

function leaseOf(published: PublishedPort, target: PortTarget): PortLease {
  const family = familyOf(published.hostIp) ?? 4;
  const sameFamily = family === 4 ? target.ipv4 : target.ipv6;
  const coversLoopback6 = published.hostIp === "::" || published.hostIp === "::1";
  const canForward = published.protocol !== "sctp";
  return {
    published,
    targetAddress: sameFamily ?? target.ipv4 ?? target.ipv6 ?? "",
    redirected: sameFamily !== undefined && published.hostIp !== "::1",
    forwarded: canForward && (sameFamily === undefined || coversLoopback6),
  };
}

/**
 * A forwarded port is held by its listener. Any other is held by a socket that is bound without SO_REUSEADDR and does not listen, so that
 * every other bind fails. @throws {EngineError} `internal` with Docker's text
 */
function reserve(lease: PortLease): number | undefined {
  const { protocol, hostIp: address, hostPort: port, containerPort } = lease.published;
  const isListener = lease.forwarded && protocol === "tcp";
  try {
    return openBoundSocket({ protocol, address, port, listen: isListener, reuseAddress: isListener });
  } catch (error) {
    if (!(error instanceof SystemError)) throw error;
    // The kernel module of SCTP is not loaded: then nobody else can take the port either.
    if (protocol === "sctp" && (error.code === "EPROTONOSUPPORT" || error.code === "ESOCKTNOSUPPORT")) return undefined;
    const second = error.code === "EADDRINUSE" && protocol === "tcp" && !isListener ? reserveBesideClosing(address, port) : undefined;
    if (second !== undefined) return second;
    const host = familyOf(address) === 6 ? `[${address}]` : address;
    const target = familyOf(lease.targetAddress) === 6 ? `[${lease.targetAddress}]` : lease.targetAddress;
    const reason = error.message.slice(error.message.lastIndexOf(": ") + 2);
    const text = `failed to bind host port for ${host}:${port}:${target}:${containerPort}/${protocol}: ${reason}`;
    throw new EngineError("internal", text, { cause: error });
  }
}

/** Where only connections in TIME_WAIT are in the way, a listener may be bound beside them; it never sees a packet, the kernel redirects them. */
function reserveBesideClosing(address: string, port: number): number | undefined {
  try {
    return openBoundSocket({ protocol: "tcp", address, port, listen: true, reuseAddress: true });
  } catch {
    return undefined; // really taken: the first error tells it
  }
}
