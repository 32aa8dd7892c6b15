import { messageOf } from "#lib/errors.ts";
import type { Logger } from "#lib/log.ts";
import type { BridgeFirewall } from "./bridge-firewall.ts";
import { forwarderOf, type Forwarder } from "./loopback-forwarder.ts";
import { PortAllocator, type PortLease, type PortTarget } from "./ports.ts";
import type { PortRequest, PublishedPort } from "./types.ts";

/** The ports of one sandbox as they are open now. */
export interface OpenPorts {
  readonly leases: readonly PortLease[];
  readonly forwarders: readonly Forwarder[];
}

export const noPorts: OpenPorts = { leases: [], forwarders: [] };

export function publishedBy({ leases }: OpenPorts): PublishedPort[] {
  return leases.map(({ published }) => published);
}

/** Published ports: reserved on the host, led to the container by the firewall, and on the loopback by forwarders. */
export class Publishing {
  readonly #allocator = new PortAllocator();
  readonly #firewall: BridgeFirewall;
  readonly #log: Logger;

  constructor(firewall: BridgeFirewall, log: Logger) {
    this.#firewall = firewall;
    this.#log = log;
  }

  /** @throws {EngineError} when a port is taken; none is open then */
  async open(requests: readonly PortRequest[], target: PortTarget, keep: (ports: OpenPorts) => void): Promise<void> {
    await this.#publish(this.#allocator.allocate(requests, target), keep);
  }

  /** Opens ports again that lead elsewhere now. */
  async reopen(containerId: string, ports: readonly PublishedPort[], target: PortTarget, keep: (ports: OpenPorts) => void): Promise<void> {
    await this.#publish(this.#adopt(containerId, ports, target), keep);
  }

  /** Ports that the firewall will lead when its table is made anew. */
  restore(containerId: string, ports: readonly PublishedPort[], target: PortTarget): OpenPorts {
    return this.#listen(this.#adopt(containerId, ports, target));
  }

  close(ports: OpenPorts): void {
    this.#firewall.unpublish(ports.leases);
    this.release(ports);
  }

  /** As the daemon stops: the firewall leads them on. */
  release({ leases, forwarders }: OpenPorts): void {
    for (const forwarder of forwarders) forwarder.close();
    this.#allocator.release(leases);
  }

  /** @param keep  is given them before anything can fail */
  async #publish(leases: readonly PortLease[], keep: (ports: OpenPorts) => void): Promise<void> {
    keep(this.#listen(leases));
    await this.#firewall.publish(leases);
  }

  #listen(leases: readonly PortLease[]): OpenPorts {
    return { leases, forwarders: leases.flatMap((lease) => forwarderOf(lease, this.#log) ?? []) };
  }

  /** Ports that are published already. One that somebody else has taken meanwhile is named in the log and left out. */
  #adopt(containerId: string, ports: readonly PublishedPort[], target: PortTarget): PortLease[] {
    return ports.flatMap((port) => {
      try {
        return this.#allocator.adopt(port, target);
      } catch (error) {
        this.#log.warn("published port is lost", { container: containerId, port, error: messageOf(error) });
        return [];
      }
    });
  }
}
