import { randomBytes } from "node:crypto";
import { vethName, type Instance } from "#lib/instance.ts";
import { containsAddress, parseCidr } from "./cidr.ts";
import type { AddressManagement } from "./ipam.ts";
import type { EndpointRequest, EndpointState, NetworkConfig } from "./types.ts";

export interface EndpointSurroundings {
  readonly instance: Instance;
  readonly addresses: AddressManagement;
  readonly networkOf: (networkId: string) => NetworkConfig;
  /** Endpoints that the sandbox has already. */
  readonly present: readonly EndpointState[];
}

/**
 * Decides names and addresses of new endpoints; nothing of the host is touched. What was taken is given back by `undo`.
 * @throws {EngineError} as `AddressManagement.allocate`
 */
export function makeEndpoints(
  requests: readonly EndpointRequest[],
  surroundings: EndpointSurroundings,
  undo: DisposableStack,
): EndpointState[] {
  const endpoints: EndpointState[] = [];
  for (const request of requests) endpoints.push(makeEndpoint(request, surroundings, endpoints, undo));
  return endpoints;
}

function makeEndpoint(
  request: EndpointRequest,
  { instance, addresses, networkOf, present }: EndpointSurroundings,
  siblings: readonly EndpointState[],
  undo: DisposableStack,
): EndpointState {
  const { endpointId, networkId, dnsNames, gatewayPriority, links } = request;
  const common = { endpointId, networkId, dnsNames, gatewayPriority, ...(links && { links }) };
  const network = networkOf(networkId);
  if (network.driver !== "bridge") return { ...common, mac: "", hostLink: "", interfaceName: "" };
  const ipv4 = takeAddress(addresses, network, 4, request.ipv4, undo);
  const ipv6 = takeAddress(addresses, network, 6, request.ipv6, undo);
  return {
    ...common,
    ...(ipv4 && { ipv4: ipv4.address, ipv4PrefixLength: ipv4.prefixLength, ...(ipv4.gateway && { ipv4Gateway: ipv4.gateway }) }),
    ...(ipv6 && { ipv6: ipv6.address, ipv6PrefixLength: ipv6.prefixLength, ...(ipv6.gateway && { ipv6Gateway: ipv6.gateway }) }),
    mac: request.mac ?? randomMac(),
    hostLink: vethName(instance, endpointId),
    interfaceName: request.interfaceName ?? freeInterfaceName([...present, ...siblings]),
  };
}

/** With the gateway of the subnet the address lies in; an internal network leads nowhere. */
function takeAddress(
  addresses: AddressManagement,
  network: NetworkConfig,
  family: 4 | 6,
  wanted: string | undefined,
  undo: DisposableStack,
): { readonly address: string; readonly prefixLength: number; readonly gateway: string | undefined } | undefined {
  if (!addresses.has(network.id, family)) return undefined;
  const taken = addresses.allocate(network.id, family, wanted);
  undo.defer(() => addresses.release(network.id, taken.address));
  const subnet = network.subnets.find((candidate) => {
    const block = parseCidr(candidate.subnet);
    return block && containsAddress(block, taken.address);
  });
  return { ...taken, gateway: network.internal ? undefined : subnet?.gateway };
}

function freeInterfaceName(endpoints: readonly EndpointState[]): string {
  const taken = new Set(endpoints.map((endpoint) => endpoint.interfaceName));
  for (let index = 0; ; index++) if (!taken.has(`eth${index}`)) return `eth${index}`;
}

/** Locally administered, unicast. Source: IEEE 802; random, as Docker since version 28. */
function randomMac(): string {
  const bytes = randomBytes(6);
  bytes[0] = ((bytes[0] ?? 0) & 0xfe) | 0x02;
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join(":");
}
