import { mkdirSync } from "node:fs";
import { basename } from "node:path";
import { KeyedMutex } from "#lib/async.ts";
import { assert, EngineError, messageOf } from "#lib/errors.ts";
import { instancePaths, type Instance } from "#lib/instance.ts";
import type { Logger } from "#lib/log.ts";
import type { Kernel } from "#os/kernel.ts";
import { SystemError } from "#os/libc.ts";
import { isNetworkNamespace } from "#os/netns.ts";
import { changeBridgePort, changeLink } from "#os/netlink/link.ts";
import { RouteSocket } from "#os/netlink/route-socket.ts";
import { bridgedPacketsAreFiltered } from "./bridge.ts";
import { makeEndpoints } from "./endpoints.ts";
import { openFirewall, type BridgeFirewall } from "./bridge-firewall.ts";
import { gatewayAddresses, gatewaysOf, targetOf, type Gateways } from "./gateway.ts";
import { LinkedFlows } from "./linked-flows.ts";
import { NameTable } from "./name-table.ts";
import { Namespaces } from "./namespaces.ts";
import { Networks } from "./networks.ts";
import { noPorts, publishedBy, Publishing, type OpenPorts } from "./publishing.ts";
import { Removal } from "./removal.ts";
import { EmbeddedResolver, type ResolverSockets } from "./resolver.ts";
import {
  applyLinkSysctls,
  attachEndpoint,
  openNamespace,
  openNamespaceRoute,
  reopenResolverSockets,
  setDefaultRoutes,
  silenceEndpoint,
} from "./sandbox.ts";
import type {
  EndpointRequest,
  EndpointState,
  LinkedPair,
  NetworkConfig,
  NetworkDriver,
  PortRequest,
  ResolverConfig,
  SandboxState,
  Subnet,
} from "./types.ts";

type SandboxRequest = Parameters<NetworkDriver["createSandbox"]>[0];
type RestoredSandbox = Parameters<NetworkDriver["restore"]>[1][number];

/** A running sandbox. What it holds besides its state goes with it. */
interface Sandbox {
  readonly containerId: string;
  readonly netnsPath: string;
  readonly resolverConfig: ResolverConfig;
  endpoints: readonly EndpointState[];
  ports: OpenPorts;
  resolver: EmbeddedResolver | undefined;
  /** What is left to be done by `joinSandbox`; the socket talks to the namespace. */
  unjoined?: { readonly request: SandboxRequest; readonly inner: RouteSocket } | undefined;
}

/** Bridges, namespaces and rules of the host this daemon runs on. See README.md for what is made and who owns it. */
export class HostNetworkDriver implements NetworkDriver {
  readonly #instance: Instance;
  readonly #removal: Removal;
  readonly #log: Logger;
  readonly #route = new RouteSocket();
  readonly #firewall: BridgeFirewall;
  readonly #publishing: Publishing;
  readonly #namespaces: Namespaces;
  readonly #names = new NameTable();
  readonly #linked = new LinkedFlows();
  readonly #networks: Networks;
  readonly #sandboxes = new Map<string, Sandbox>();
  readonly #locks = new KeyedMutex();

  constructor({ instance, kernel, log }: { readonly instance: Instance; readonly kernel: Kernel; readonly log: Logger }) {
    this.#instance = instance;
    this.#log = log;
    this.#removal = new Removal(kernel, log);
    this.#firewall = openFirewall(instance.nftTable, log);
    this.#networks = new Networks({ instance, route: this.#route, firewall: this.#firewall, names: this.#names, removal: this.#removal });
    this.#publishing = new Publishing(this.#firewall, log);
    this.#namespaces = new Namespaces(this.#namespaceFolder, (path) => this.#removal.removeNamespaceLater(path));
  }

  async restore(networks: readonly NetworkConfig[], sandboxes: readonly RestoredSandbox[]): Promise<void> {
    mkdirSync(this.#namespaceFolder, { recursive: true, mode: 0o711 });
    await this.#firewall.reset();
    for (const id of this.#networks.ids()) if (!networks.some((network) => network.id === id)) this.#networks.forget(id);
    // One damaged record must not keep the others from working.
    for (const network of networks) this.#attempt("cannot restore network", network.id, () => this.#networks.adopt(network));
    for (const sandbox of sandboxes)
      this.#attempt("cannot restore network sandbox", sandbox.containerId, () => this.#adoptSandbox(sandbox));
    for (const sandbox of this.#sandboxes.values()) this.#firewall.includePorts(sandbox.ports.leases);
    this.#firewall.includeLinked(this.#linked.all());
    await this.#firewall.rebuild();
    await this.#removeOrphans();
    this.#firewall.watch();
  }

  chooseSubnets(families: readonly (4 | 6)[], taken: readonly Subnet[]): Subnet[] {
    return this.#networks.chooseSubnets(families, taken);
  }

  createNetwork(network: NetworkConfig): Promise<void> {
    return this.#networks.create(network);
  }

  async removeNetwork(networkId: string): Promise<void> {
    if (!this.#networks.ids().includes(networkId)) return;
    const network = this.#networks.of(networkId);
    const isUsed = [...this.#sandboxes.values()].some(({ endpoints }) => endpoints.some((endpoint) => endpoint.networkId === networkId));
    if (isUsed) throw new EngineError("forbidden", `network ${network.config.name} has active endpoints`);
    await this.#networks.remove(network);
  }

  createSandbox(request: SandboxRequest): Promise<SandboxState> {
    return this.#locks.run(request.containerId, () => this.#createSandbox(request));
  }

  joinSandbox(containerId: string): Promise<SandboxState> {
    return this.#locks.run(containerId, () => this.#joinSandbox(containerId));
  }

  connect(containerId: string, request: EndpointRequest): Promise<SandboxState> {
    return this.#locks.run(containerId, async () => {
      const sandbox = this.#sandboxOf(containerId);
      this.#networks.requireFirewall(this.#networks.configOf(request.networkId));
      const undo = new DisposableStack();
      try {
        const [endpoint] = this.#makeEndpoints([request], sandbox.endpoints, undo);
        assert(endpoint, "one request makes one endpoint");
        using inner = openNamespaceRoute(sandbox.netnsPath);
        await this.#attach(sandbox.netnsPath, inner, endpoint, request.linkLocal, sandbox.ports.leases.length > 0, undo);
        sandbox.endpoints = [...sandbox.endpoints, endpoint];
        this.#startResolver(sandbox, undefined);
        await this.#followGateway(sandbox, inner);
        this.#announce(endpoint);
        undo.move();
      } catch (error) {
        sandbox.endpoints = sandbox.endpoints.filter((endpoint) => endpoint.endpointId !== request.endpointId);
        undo.dispose();
        throw error;
      }
      return stateOf(sandbox);
    });
  }

  disconnect(containerId: string, networkId: string): Promise<SandboxState> {
    return this.#locks.run(containerId, async () => {
      const sandbox = this.#sandboxOf(containerId);
      const endpoint = sandbox.endpoints.find((candidate) => candidate.networkId === networkId);
      if (!endpoint) return stateOf(sandbox);
      this.#names.remove(endpoint);
      this.#refuseLinked((linked) => linked.networkId === networkId && (linked.source === containerId || linked.target === containerId));
      sandbox.endpoints = sandbox.endpoints.filter((candidate) => candidate !== endpoint);
      if (endpoint.hostLink !== "") await this.#removal.removeLink(endpoint.hostLink);
      this.#networks.releaseAddresses(endpoint);
      using inner = openNamespaceRoute(sandbox.netnsPath);
      await this.#followGateway(sandbox, inner);
      return stateOf(sandbox);
    });
  }

  async admitLinked(networkId: string, pairs: readonly LinkedPair[]): Promise<void> {
    if (this.#networks.configOf(networkId).interContainer) return;
    const addressOf = (containerId: string): string | undefined =>
      this.#sandboxes.get(containerId)?.endpoints.find((endpoint) => endpoint.networkId === networkId)?.ipv4;
    const wanted = pairs.flatMap((pair) => {
      const [source, target] = [addressOf(pair.source), addressOf(pair.target)];
      if (source === undefined || target === undefined) return [];
      return pair.ports.map((port) => ({ ...pair, networkId, flow: { source, target, ...port } }));
    });
    const added = this.#linked.add(wanted);
    if (added.length > 0) await this.#firewall.admit(added);
  }

  refuseLinked(networkId: string, { source, target }: Pick<LinkedPair, "source" | "target">): void {
    this.#refuseLinked((linked) => linked.networkId === networkId && linked.source === source && linked.target === target);
  }

  #refuseLinked(isOver: Parameters<LinkedFlows["take"]>[0]): void {
    const over = this.#linked.take(isOver);
    if (over.length > 0) this.#firewall.refuse(over);
  }

  rename(containerId: string, networkId: string, dnsNames: readonly string[]): void {
    const sandbox = this.#sandboxOf(containerId);
    sandbox.endpoints = sandbox.endpoints.map((endpoint) => {
      if (endpoint.networkId !== networkId) return endpoint;
      const renamed = { ...endpoint, dnsNames };
      this.#names.remove(endpoint);
      this.#announce(renamed);
      return renamed;
    });
  }

  removeSandbox(containerId: string): Promise<void> {
    return this.#locks.run(containerId, async () => this.#removeSandbox(containerId));
  }

  #removeSandbox(containerId: string): void {
    this.#namespaces.drop(containerId);
    const sandbox = this.#sandboxes.get(containerId);
    if (!sandbox) return;
    this.#sandboxes.delete(containerId);
    this.#refuseLinked(({ source, target }) => source === containerId || target === containerId);
    sandbox.unjoined?.inner[Symbol.dispose]();
    this.#quiet(sandbox);
    for (const endpoint of sandbox.endpoints) {
      if (endpoint.hostLink !== "") silenceEndpoint(this.#route, endpoint);
      this.#networks.releaseAddresses(endpoint);
    }
    if (sandbox.netnsPath !== "") this.#removal.removeNamespaceLater(sandbox.netnsPath);
  }

  async purge(): Promise<void> {
    for (const containerId of this.#sandboxes.keys()) await this.removeSandbox(containerId);
    for (const id of this.#networks.ids()) this.#networks.forget(id);
    await this.#firewall.purge();
    await this.#removeOrphans();
    await this.#removal.settled();
  }

  async close(): Promise<void> {
    this.#firewall.close();
    this.#namespaces.close();
    for (const sandbox of this.#sandboxes.values()) {
      sandbox.unjoined?.inner[Symbol.dispose]();
      sandbox.resolver?.close();
      this.#publishing.release(sandbox.ports);
    }
    this.#sandboxes.clear();
    await this.#removal.settled();
    this.#route[Symbol.dispose]();
  }

  get #namespaceFolder(): string {
    return instancePaths(this.#instance).networkNamespaces;
  }

  async #createSandbox(request: SandboxRequest): Promise<SandboxState> {
    const { containerId } = request;
    if (this.#sandboxes.has(containerId)) throw new EngineError("conflict", `container ${containerId} has a network sandbox already`);
    if (request.endpoints.some((endpoint) => this.#networks.configOf(endpoint.networkId).driver === "host")) return this.#joinHost(request);
    for (const { networkId } of request.endpoints) this.#networks.requireFirewall(this.#networks.configOf(networkId));
    const undo = new DisposableStack();
    try {
      const endpoints = this.#makeEndpoints(request.endpoints, [], undo);
      const { path: netnsPath, route } = this.#namespaces.take(containerId, request.namespace);
      undo.defer(() => this.#removal.removeNamespaceLater(netnsPath));
      undo.use(route);
      const sandbox = newSandbox({ containerId, netnsPath, resolver: request.resolver, endpoints });
      const resolver = openNamespace(netnsPath, request.sysctls, this.#resolvesNames(endpoints));
      this.#startResolver(sandbox, resolver);
      sandbox.unjoined = { request, inner: route };
      this.#sandboxes.set(containerId, sandbox);
      undo.move();
      return stateOf(sandbox);
    } catch (error) {
      undo.dispose();
      throw error;
    }
  }

  async #joinSandbox(containerId: string): Promise<SandboxState> {
    const sandbox = this.#sandboxOf(containerId);
    const { unjoined, netnsPath, endpoints } = sandbox;
    if (!unjoined) return stateOf(sandbox);
    sandbox.unjoined = undefined;
    const { request, inner } = unjoined;
    const undo = new DisposableStack();
    try {
      for (const [index, endpoint] of endpoints.entries())
        await this.#attach(netnsPath, inner, endpoint, request.endpoints[index]?.linkLocal ?? [], request.ports.length > 0, undo);
      const gateways = this.#gateways(endpoints);
      if (gateways[4] ?? gateways[6]) setDefaultRoutes(inner, gatewayAddresses(gateways));
      applyLinkSysctls(netnsPath, request.sysctls);
      const ports = this.#boundRequests(request.ports, gateways);
      await this.#publishing.open(ports, targetOf(gateways), (open) => (sandbox.ports = open));
      for (const endpoint of endpoints) this.#announce(endpoint);
      undo.move();
      return stateOf(sandbox);
    } catch (error) {
      undo.dispose();
      this.#removeSandbox(containerId);
      throw error;
    } finally {
      inner[Symbol.dispose]();
    }
  }

  prepareSandbox(): void {
    this.#namespaces.prepare();
  }

  reserveNamespace(containerId: string): string {
    return this.#namespaces.reserve(containerId);
  }

  /** The host's own network: no namespace, no addresses, and published ports mean nothing. */
  #joinHost(request: SandboxRequest): SandboxState {
    const endpoints = this.#makeEndpoints(request.endpoints, [], new DisposableStack());
    const sandbox = newSandbox({ containerId: request.containerId, netnsPath: "", resolver: request.resolver, endpoints });
    this.#sandboxes.set(request.containerId, sandbox);
    return stateOf(sandbox);
  }

  #makeEndpoints(requests: readonly EndpointRequest[], present: readonly EndpointState[], undo: DisposableStack): EndpointState[] {
    const { addresses, configOf: networkOf } = this.#networks;
    return makeEndpoints(requests, { instance: this.#instance, addresses, networkOf, present }, undo);
  }

  async #attach(
    netnsPath: string,
    inner: RouteSocket,
    endpoint: EndpointState,
    linkLocal: readonly string[],
    publishes: boolean,
    undo: DisposableStack,
  ): Promise<void> {
    if (endpoint.hostLink === "") return;
    const { config, bridgeIndex } = this.#networks.of(endpoint.networkId);
    const filtered = bridgedPacketsAreFiltered();
    const link = {
      endpoint,
      linkLocal,
      bridgeIndex,
      mtu: config.mtu,
      // Where bridged packets are filtered the table does it, and lets published ports through.
      isolated: !config.interContainer && !filtered,
      hairpin: publishes && filtered,
    };
    undo.defer(() => this.#removal.removeLinkLater(endpoint.hostLink));
    try {
      attachEndpoint(this.#route, inner, netnsPath, link);
    } catch (error) {
      if (!(error instanceof SystemError && error.code === "EEXIST")) throw error;
      // The link of an earlier run of this endpoint is still on its way out.
      await this.#removal.removeLink(endpoint.hostLink);
      attachEndpoint(this.#route, inner, netnsPath, link);
    }
  }

  #announce(endpoint: EndpointState): void {
    const { config } = this.#networks.of(endpoint.networkId);
    if (config.nameResolution) this.#names.add(config.name, endpoint);
  }

  #resolvesNames(endpoints: readonly EndpointState[]): boolean {
    return endpoints.some((endpoint) => this.#networks.configOf(endpoint.networkId).nameResolution);
  }

  /** Starts the DNS server when the sandbox has none and needs one. */
  #startResolver(sandbox: Sandbox, sockets: ResolverSockets | undefined): void {
    if (sandbox.resolver || !this.#resolvesNames(sandbox.endpoints)) return;
    sandbox.resolver = new EmbeddedResolver(sockets ?? reopenResolverSockets(sandbox.netnsPath), {
      names: this.#names.lookup(() => sandbox.endpoints),
      // A sandbox on internal networks alone has no way out, and neither have its queries.
      upstream: () =>
        sandbox.endpoints.some((endpoint) => !this.#networks.configOf(endpoint.networkId).internal) ? sandbox.resolverConfig.upstream : [],
      log: this.#log,
    });
  }

  #gateways(endpoints: readonly EndpointState[]): Gateways {
    return gatewaysOf(endpoints, this.#networks.configOf);
  }

  /** Requests with the network's own host address where none is asked for. */
  #boundRequests(requests: readonly PortRequest[], gateways: Gateways): PortRequest[] {
    const gateway = gateways[4] ?? gateways[6];
    const binding = gateway ? this.#networks.configOf(gateway.networkId).hostBinding : "";
    return requests.map((request) => (request.hostIp === "" && binding !== "" ? { ...request, hostIp: binding } : request));
  }

  /** After a change of endpoints: default routes and published ports follow the gateway. */
  async #followGateway(sandbox: Sandbox, inner: RouteSocket): Promise<void> {
    const gateways = this.#gateways(sandbox.endpoints);
    setDefaultRoutes(inner, gatewayAddresses(gateways));
    const target = targetOf(gateways);
    if (sandbox.ports.leases.every((lease) => lease.targetAddress === target.ipv4 || lease.targetAddress === target.ipv6)) return;
    const published = publishedBy(sandbox.ports);
    this.#unpublish(sandbox);
    if (target.ipv4 === undefined && target.ipv6 === undefined) return;
    await this.#publishing.reopen(sandbox.containerId, published, target, (open) => (sandbox.ports = open));
  }

  #unpublish(sandbox: Sandbox): void {
    this.#publishing.close(sandbox.ports);
    sandbox.ports = noPorts;
  }

  /** Takes back all that a sandbox shows to others: ports, names, DNS server. */
  #quiet(sandbox: Sandbox): void {
    this.#unpublish(sandbox);
    sandbox.resolver?.close();
    sandbox.resolver = undefined;
    for (const endpoint of sandbox.endpoints) this.#names.remove(endpoint);
  }

  #attempt(complaint: string, id: string, body: () => void): void {
    try {
      body();
    } catch (error) {
      this.#log.error(complaint, { id, error: messageOf(error) });
    }
  }

  #adoptSandbox(restored: RestoredSandbox): void {
    for (const endpoint of restored.endpoints) this.#adoptEndpoint(endpoint);
    if (this.#sandboxes.has(restored.containerId)) return; // a restore after a firewall reload: listeners are as they were
    const { containerId, netnsPath, endpoints } = restored;
    const sandbox = newSandbox(restored);
    this.#sandboxes.set(containerId, sandbox);
    sandbox.ports = this.#publishing.restore(containerId, restored.ports, targetOf(this.#gateways(endpoints)));
    for (const endpoint of endpoints) this.#announce(endpoint);
    if (netnsPath !== "" && isNetworkNamespace(netnsPath)) this.#startResolver(sandbox, undefined);
  }

  /** Address and place on the bridge: a bridge that was made anew has lost its ports. */
  #adoptEndpoint(endpoint: EndpointState): void {
    this.#networks.adoptAddresses(endpoint);
    const link = endpoint.hostLink === "" ? undefined : this.#route.link(endpoint.hostLink);
    const { config, bridgeIndex } = this.#networks.of(endpoint.networkId);
    if (!link) return;
    if (link.master !== bridgeIndex) this.#route.apply(changeLink(link.index, { master: bridgeIndex, up: true }));
    // Whether containers are kept apart may have changed with this start.
    this.#route.apply(changeBridgePort(endpoint.hostLink, { isolated: !config.interContainer && !bridgedPacketsAreFiltered() }));
  }

  /** Links and namespaces of nobody. */
  async #removeOrphans(): Promise<void> {
    const sandboxes = [...this.#sandboxes.values()];
    await this.#removal.removeOrphans(this.#instance, this.#route, this.#namespaceFolder, {
      bridges: this.#networks.bridges(),
      hostLinks: new Set(sandboxes.flatMap((sandbox) => sandbox.endpoints.map((endpoint) => endpoint.hostLink))),
      namespaces: new Set(sandboxes.map((sandbox) => basename(sandbox.netnsPath))),
    });
  }

  #sandboxOf(containerId: string): Sandbox {
    const sandbox = this.#sandboxes.get(containerId);
    if (!sandbox) throw new EngineError("not_found", `container ${containerId} has no network sandbox`);
    return sandbox;
  }
}

/** Without ports, listeners and DNS server: these follow. */
function newSandbox(from: {
  readonly containerId: string;
  readonly netnsPath: string;
  readonly endpoints: readonly EndpointState[];
  readonly resolver: ResolverConfig;
}): Sandbox {
  const { containerId, netnsPath, endpoints, resolver: resolverConfig } = from;
  return { containerId, netnsPath, resolverConfig, endpoints, ports: noPorts, resolver: undefined };
}

function stateOf({ containerId, netnsPath, endpoints, ports }: Sandbox): SandboxState {
  return { containerId, netnsPath, endpoints, ports: publishedBy(ports) };
}
