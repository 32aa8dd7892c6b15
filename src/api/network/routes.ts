import type { ContainerService } from "#engine/container/service.ts";
import type { NetworkService } from "#engine/network/service.ts";
import { EngineError } from "#lib/errors.ts";
import type { NetworkCreateRequest, NetworkInspect } from "#types/engine-api/index.ts";
import type { NetworkRecord, Subnet } from "#types/record/network.ts";
import { matchesLabels, matchesName, valuesOf } from "../filters.ts";
import type { ApiRequest } from "../http/request.ts";
import { empty, json, type ApiResponse } from "../http/response.ts";
import { del, get, post, type AnyRoute } from "../http/route.ts";
import { prune } from "./prune.ts";
import { booleanFilter, queryFilters, type Filters } from "../decode/filters.ts";
import { readJsonBody } from "../decode/request-body.ts";

interface Services {
  readonly networks: NetworkService;
  readonly containers: ContainerService;
}

/** Source: Engine API, tag Network. */
export function networkRoutes(services: Services): AnyRoute[] {
  const { networks, containers } = services;
  return [
    get("/networks", ({ query }) => {
      const filters = queryFilters(query, ["dangling", "driver", "id", "label", "name", "scope", "type"]);
      return json(
        200,
        networks
          .list()
          .filter(networkTest(services, filters))
          .map((record) => toNetwork(record, undefined)),
      );
    }),
    get("/networks/:name", ({ params, query }) => {
      const scope = query.get("scope") ?? "";
      const record = networks.find(params.name);
      if (scope !== "" && scope !== record.scope) throw new EngineError("not_found", `network ${params.name} not found`);
      return json(200, toNetwork(record, containers));
    }),
    post("/networks/create", (request) => create(networks, request)),
    post("/networks/prune", (request) => prune(services, request)),
    post("/networks/:name/connect", async (request) => {
      const body = await readJsonBody("NetworkConnect", request);
      await containers.connect(containerName(body.Container), request.params.name, body.EndpointConfig ?? {});
      return empty(200);
    }),
    post("/networks/:name/disconnect", async (request) => {
      const body = await readJsonBody("NetworkDisconnect", request);
      await containers.disconnect(containerName(body.Container), request.params.name, body.Force ?? false);
      return empty(200);
    }),
    del("/networks/:name", async ({ params }) => {
      await networks.remove(params.name, (id) => containers.endpointsOf(id));
      return empty(204);
    }),
  ];
}

function containerName(name: string | undefined): string {
  if (!name) throw new EngineError("invalid", 'invalid name or ID supplied: ""');
  return name;
}

export function toNetwork(record: NetworkRecord, containers: ContainerService | undefined): NetworkInspect {
  const { config } = record;
  return {
    Name: config.name,
    Id: config.id,
    Created: record.createdAt,
    Scope: record.scope,
    Driver: config.driver,
    EnableIPv4: record.enableIpv4,
    EnableIPv6: record.enableIpv6,
    IPAM: {
      Driver: record.ipamDriver,
      Options: record.ipamOptions,
      Config:
        config.driver === "bridge"
          ? config.subnets.map((subnet) => ({
              Subnet: subnet.subnet,
              ...(subnet.ipRange !== undefined && { IPRange: subnet.ipRange }),
              ...(!subnet.gatewayChosen && subnet.gateway !== "" && { Gateway: subnet.gateway }),
              ...(Object.keys(subnet.auxiliary).length > 0 && { AuxiliaryAddresses: subnet.auxiliary }),
            }))
          : null,
    },
    Internal: config.internal,
    Attachable: record.attachable,
    Ingress: record.ingress,
    ConfigFrom: { Network: record.configFrom },
    ConfigOnly: record.configOnly,
    Containers: Object.fromEntries(
      (containers?.endpointsOf(config.id) ?? []).map(({ containerId, name, endpointId, mac, ipv4, ipv6 }) => [
        containerId,
        { Name: name, EndpointID: endpointId, MacAddress: mac, IPv4Address: ipv4, IPv6Address: ipv6 },
      ]),
    ),
    Options: record.options,
    Labels: record.labels,
  };
}

async function create(networks: NetworkService, request: ApiRequest): Promise<ApiResponse> {
  const body = await readJsonBody("NetworkCreate", request);
  if (body.ConfigOnly || body.ConfigFrom?.Network)
    throw new EngineError("not_implemented", "networks from and for configuration only are not implemented yet");
  if (body.Ingress || body.Scope === "swarm")
    throw new EngineError(
      "unavailable",
      'This node is not a swarm manager. Use "docker swarm init" or "docker swarm join" to connect this node to swarm and try again.',
    );
  const enableIpv6 = body.EnableIPv6 ?? false;
  const record = await networks.create({
    name: body.Name ?? "",
    driver: body.Driver ?? "",
    internal: body.Internal ?? false,
    attachable: body.Attachable ?? false,
    enableIpv4: body.EnableIPv4 ?? true,
    enableIpv6,
    ipamDriver: body.IPAM?.Driver ?? "",
    ipamOptions: body.IPAM?.Options ?? null,
    subnets: (body.IPAM?.Config ?? []).map(toSubnet),
    options: body.Options ?? {},
    labels: body.Labels ?? {},
  });
  return json(201, { Id: record.config.id, Warning: "" });
}

type WireSubnet = NonNullable<NonNullable<NonNullable<NetworkCreateRequest["IPAM"]>["Config"]>[number]>;

/** What is wrong with a subnet is said by the engine. */
function toSubnet(entry: WireSubnet): Subnet {
  const subnet = entry.Subnet ?? "";
  return {
    family: subnet.includes(":") ? 6 : 4,
    subnet,
    gateway: entry.Gateway ?? "",
    ...(entry.IPRange && { ipRange: entry.IPRange }),
    auxiliary: entry.AuxiliaryAddresses ?? {},
  };
}

function networkTest({ containers }: Services, filters: Filters): (record: NetworkRecord) => boolean {
  const any = (name: string, test: (value: string) => boolean): boolean => !filters.has(name) || valuesOf(filters, name).some(test);
  const dangling = danglingFilter(filters);
  for (const type of valuesOf(filters, "type"))
    if (!["builtin", "custom"].includes(type)) throw new EngineError("invalid", `invalid filter: 'type'='${type}'`);
  return (record) => {
    const { config } = record;
    const builtin = ["bridge", "host", "none"].includes(config.name);
    const unused = !builtin && containers.endpointsOf(config.id).length === 0;
    return (
      any("id", (value) => config.id.startsWith(value) || config.id.includes(value)) &&
      any("name", (value) => matchesName(config.name, value)) &&
      any("driver", (value) => config.driver === value) &&
      any("scope", (value) => record.scope === value) &&
      any("type", (value) => value === (builtin ? "builtin" : "custom")) &&
      (dangling === undefined || dangling === unused) &&
      (!filters.has("label") || matchesLabels(record.labels, valuesOf(filters, "label")))
    );
  };
}

/** Networks have a text of their own for a value that is neither. */
function danglingFilter(filters: Filters): boolean | undefined {
  const values = valuesOf(filters, "dangling");
  if (values.length > 1) throw new EngineError("invalid", 'got more than one value for filter key "dangling"');
  if (values.some((value) => !["true", "1", "false", "0"].includes(value)))
    throw new EngineError("invalid", `invalid value for filter 'dangling', must be "true" (or "1"), or "false" (or "0")`);
  return booleanFilter(filters, "dangling");
}
