import { isIP } from "node:net";
import { hostname } from "node:os";
import type { MetadataStore } from "#drivers/metadata/store.ts";
import { defaultGateway, subnetFaults } from "#drivers/network/ipam.ts";
import type { EndpointRequest, NetworkDriver } from "#drivers/network/types.ts";
import { KeyedMutex } from "#lib/async.ts";
import { EngineError } from "#lib/errors.ts";
import { randomId, shortId } from "#lib/id.ts";
import { bridgeName, type Instance } from "#lib/instance.ts";
import type { ContainerRecord } from "#types/record/container.ts";
import type { NetworkConfig, NetworkRecord, Subnet } from "#types/record/network.ts";
import type { EventBus } from "../event/bus.ts";
import { bridgeOptions } from "./options.ts";

export interface NetworkCreateRequest {
  readonly name: string;
  readonly driver: string;
  readonly internal: boolean;
  readonly attachable: boolean;
  readonly enableIpv4: boolean;
  readonly enableIpv6: boolean;
  readonly ipamDriver: string;
  readonly ipamOptions: Readonly<Record<string, string>> | null;
  readonly subnets: readonly Subnet[];
  readonly options: Readonly<Record<string, string>>;
  readonly labels: Readonly<Record<string, string>>;
}

const interContainerOption = "com.docker.network.bridge.enable_icc";
const predefined = ["bridge", "host", "none"];

/** Networks by name and id, and what containers ask of them. */
export class NetworkService {
  readonly hostname = hostname();
  readonly #instance: Instance;
  readonly #store: MetadataStore;
  readonly #driver: NetworkDriver;
  readonly #events: EventBus;
  readonly #locks = new KeyedMutex();

  constructor(instance: Instance, store: MetadataStore, driver: NetworkDriver, events: EventBus) {
    this.#instance = instance;
    this.#store = store;
    this.#driver = driver;
    this.#events = events;
  }

  /** Makes the records of bridge, host and none at the first start. Whether containers may talk on the bridge can change with each start. */
  async ensurePredefined(settings: { readonly bridgeAddress: string | undefined; readonly interContainer: boolean }): Promise<void> {
    for (const name of predefined) {
      const known = this.lookup(name);
      if (known) {
        if (name === "bridge") await this.#setInterContainer(known, settings.interContainer);
        continue;
      }
      const driver = name === "bridge" ? "bridge" : name === "host" ? "host" : "null";
      const record = this.#toRecord(
        {
          name,
          driver,
          internal: false,
          attachable: false,
          enableIpv4: true,
          enableIpv6: false,
          ipamDriver: "default",
          ipamOptions: null,
          subnets: driver === "bridge" ? this.#defaultSubnets(settings.bridgeAddress) : [],
          labels: {},
          options:
            name === "bridge"
              ? {
                  "com.docker.network.bridge.default_bridge": "true",
                  [interContainerOption]: String(settings.interContainer),
                  "com.docker.network.bridge.enable_ip_masquerade": "true",
                  "com.docker.network.bridge.host_binding_ipv4": "0.0.0.0",
                  "com.docker.network.bridge.name": this.#instance.defaultBridge,
                  "com.docker.network.driver.mtu": "1500",
                }
              : {},
        },
        randomId(),
      );
      await this.#store.update((transaction) => transaction.put("network", record.config.id, record));
    }
  }

  async #setInterContainer(record: NetworkRecord, interContainer: boolean): Promise<void> {
    const { config, options } = record;
    if (config.interContainer === interContainer) return;
    const changed = {
      ...record,
      config: { ...config, interContainer },
      options: { ...options, [interContainerOption]: String(interContainer) },
    };
    await this.#store.update((transaction) => transaction.put("network", config.id, changed));
  }

  /** `--bip` names address and prefix; else the first free pool. */
  #defaultSubnets(bridgeAddress: string | undefined): Subnet[] {
    const taken = this.list().flatMap((record) => record.config.subnets);
    if (bridgeAddress === undefined) return this.#driver.chooseSubnets([4], taken);
    const [gateway = "", prefix = ""] = bridgeAddress.split("/");
    if (isIP(gateway) !== 4 || !/^\d{1,2}$/.test(prefix))
      throw new EngineError("invalid", `invalid bip ${JSON.stringify(bridgeAddress)}: an address with a prefix length is needed`);
    return [{ family: 4, subnet: bridgeAddress, gateway, auxiliary: {} }];
  }

  list(): NetworkRecord[] {
    return [...this.#store.table("network").values()];
  }

  peek(id: string): NetworkRecord | undefined {
    return this.#store.table("network").get(id);
  }

  /** By full id, name, then unambiguous prefix. @throws {EngineError} `not_found` with Docker's text */
  find(text: string): NetworkRecord {
    const found = this.lookup(text);
    if (!found) throw new EngineError("not_found", `network ${text} not found`);
    return found;
  }

  lookup(text: string): NetworkRecord | undefined {
    const records = this.list();
    const exact = this.peek(text) ?? records.find((record) => record.config.name === text);
    if (exact || text === "") return exact;
    const matches = records.filter((record) => record.config.id.startsWith(text));
    if (matches.length > 1) throw new EngineError("invalid", `network ${text} is ambiguous (${matches.length} matches found on ID prefix)`);
    return matches[0];
  }

  /** What `host-gateway` stands for: the default bridge's own address. */
  get hostGateway(): string {
    return this.find("bridge").config.subnets.find((subnet) => subnet.family === 4)?.gateway ?? "";
  }

  /** @throws {EngineError} `conflict`, `forbidden`, `invalid`, `not_found` with Docker's texts */
  create(request: NetworkCreateRequest): Promise<NetworkRecord> {
    return this.#locks.run("networks", async () => {
      validateName(request.name);
      if (predefined.includes(request.name) || request.name === "default") {
        throw new EngineError("forbidden", `operation is not permitted on predefined ${request.name} network `);
      }
      if (this.list().some((record) => record.config.name === request.name)) {
        throw new EngineError("conflict", `network with name ${request.name} already exists`);
      }
      const driver = request.driver || "bridge";
      if (driver === "host" || driver === "null")
        throw new EngineError("forbidden", `only one instance of ${JSON.stringify(driver)} network is allowed`);
      if (driver !== "bridge") throw new EngineError("not_found", `plugin ${JSON.stringify(driver)} not found`);
      if (request.ipamDriver && request.ipamDriver !== "default")
        throw new EngineError("not_found", `plugin ${JSON.stringify(request.ipamDriver)} not found`);
      const faults = subnetFaults(request.subnets);
      if (faults.length > 0) throw new EngineError("invalid", `invalid network config:\n${listFaults(faults)}`);
      const record = this.#toRecord({ ...request, driver, subnets: this.#chooseSubnets(request) }, randomId());
      // The record is the intent: what a kill leaves between these two lines is repaired from it.
      await this.#store.update((transaction) => transaction.put("network", record.config.id, record));
      try {
        await this.#driver.createNetwork(record.config);
      } catch (error) {
        await this.#store.observe((transaction) => transaction.remove("network", record.config.id));
        throw error;
      }
      this.#events.emit("network", "create", record.config.id, { name: record.config.name, type: driver });
      return record;
    });
  }

  /** Those that were asked for, of families that are on, and one of each family for which none was. */
  #chooseSubnets(request: NetworkCreateRequest): Subnet[] {
    const families = [...(request.enableIpv4 ? [4 as const] : []), ...(request.enableIpv6 ? [6 as const] : [])];
    const wanted = request.subnets.filter(({ family }) => families.includes(family)).map(withGateway);
    const missing = families.filter((family) => !wanted.some((subnet) => subnet.family === family));
    const taken = this.list().flatMap((record) => record.config.subnets);
    return [...wanted, ...(missing.length > 0 ? this.#driver.chooseSubnets(missing, [...taken, ...wanted]) : [])];
  }

  #toRecord(request: NetworkCreateRequest, id: string): NetworkRecord {
    const driver = request.driver === "host" ? "host" : request.driver === "null" ? "null" : "bridge";
    const options = bridgeOptions(request.options);
    const config: NetworkConfig = {
      id,
      name: request.name,
      driver,
      bridge: driver === "bridge" ? (options.bridge ?? bridgeName(this.#instance, id)) : "",
      subnets: request.subnets,
      internal: request.internal,
      interContainer: options.interContainer,
      masquerade: options.masquerade,
      hostBinding: options.hostBinding,
      mtu: options.mtu,
      nameResolution: driver === "bridge" && request.name !== "bridge",
    };
    return {
      config,
      createdAt: new Date().toISOString().replace("Z", "000000Z"),
      scope: "local",
      enableIpv4: request.enableIpv4,
      enableIpv6: request.enableIpv6,
      attachable: request.attachable,
      ingress: false,
      configOnly: false,
      configFrom: "",
      ipamDriver: request.ipamDriver || "default",
      ipamOptions: request.ipamOptions,
      options: request.options,
      labels: request.labels,
    };
  }

  /** @param users  names and ids of containers that are connected. @throws {EngineError} `forbidden` with Docker's texts */
  remove(text: string, users: (networkId: string) => readonly { readonly name: string; readonly endpointId: string }[]): Promise<void> {
    return this.#locks.run("networks", async () => {
      const { config } = this.find(text);
      if (predefined.includes(config.name))
        throw new EngineError("forbidden", `${config.name} is a pre-defined network and cannot be removed`);
      const active = users(config.id);
      if (active.length > 0) {
        const names = active
          .map(({ name, endpointId }) => `name:${JSON.stringify(name)} id:${JSON.stringify(shortId(endpointId))}`)
          .join(", ");
        throw new EngineError("forbidden", `error while removing network: network ${config.name} has active endpoints (${names})`);
      }
      await this.#driver.removeNetwork(config.id);
      await this.#store.update((transaction) => transaction.remove("network", config.id));
      this.#events.emit("network", "destroy", config.id, { name: config.name, type: config.driver });
    });
  }

  /** What a container's start asks the driver for, one request per network with a bridge. */
  endpointRequests(record: ContainerRecord): EndpointRequest[] {
    return Object.entries(record.networks).flatMap(([name, wanted]) => {
      // The network it was connected to, and no other that has got the name meanwhile.
      const network = this.find(wanted.networkId || name).config;
      if (network.driver !== "bridge") return [];
      const interfaceName = wanted.driverOptions["com.docker.network.endpoint.ifname"];
      return [
        {
          endpointId: randomId(),
          networkId: network.id,
          ...(wanted.ipv4 !== undefined && { ipv4: wanted.ipv4 }),
          ...(wanted.ipv6 !== undefined && { ipv6: wanted.ipv6 }),
          ...(wanted.mac !== undefined && { mac: wanted.mac }),
          dnsNames: network.nameResolution ? dnsNames(record, wanted.aliases) : [],
          ...(wanted.links.length > 0 && { links: linkNames(wanted.links) }),
          linkLocal: wanted.linkLocal,
          gatewayPriority: wanted.gatewayPriority,
          ...(interfaceName !== undefined && { interfaceName }),
        },
      ];
    });
  }

  announcePrune(): void {
    this.#events.emit("network", "prune", "", { reclaimed: "0" });
  }

  /** A container came to a network or left it. */
  announce(action: "connect" | "disconnect", networkId: string, containerId: string): void {
    const record = this.peek(networkId);
    if (record)
      this.#events.emit("network", action, networkId, { container: containerId, name: record.config.name, type: record.config.driver });
  }
}

/** Container name, short id, aliases, and the host name where it was chosen. */
export function dnsNames(record: ContainerRecord, aliases: readonly string[]): string[] {
  const { Hostname: hostname = "" } = record.config;
  return [...new Set([record.name, ...aliases, shortId(record.id), hostname].filter(Boolean))];
}

/** `NAME:ALIAS`, by alias. */
function linkNames(links: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    links.map((link) => {
      const [name = "", alias = name] = link.split(":");
      return [alias, name];
    }),
  );
}

/** Separators and control characters are no part of a name, whatever else Docker allows in one (E5). */
function validateName(name: string): void {
  if (name.trim() === "") throw new EngineError("invalid", "invalid name: name is empty");
  if (name === "." || name === ".." || /[/\\\p{Cc}]/u.test(name))
    throw new EngineError("invalid", `invalid name: ${JSON.stringify(name)} has a separator or a control character`);
}

function withGateway(subnet: Subnet): Subnet {
  if (subnet.gateway !== "") return subnet;
  const gateway = defaultGateway(subnet.subnet, subnet.ipRange);
  return gateway === undefined ? subnet : { ...subnet, gateway, gatewayChosen: true };
}

/** As Go prints several errors: one as it is, more as a list. */
function listFaults(faults: readonly string[]): string {
  return faults.length === 1 ? faults.join() : faults.map((fault) => `* ${fault}`).join("\n");
}
