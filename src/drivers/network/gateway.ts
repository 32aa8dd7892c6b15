import type { PortTarget } from "./ports.ts";
import type { EndpointState, NetworkConfig } from "./types.ts";

/** The endpoints that lead out of a sandbox, by address family. */
export interface Gateways {
  readonly 4?: EndpointState;
  readonly 6?: EndpointState;
}

/** The endpoints that the default routes go through: by priority, then by the network's name. Source: libnetwork. */
export function gatewaysOf(endpoints: readonly EndpointState[], networkOf: (networkId: string) => NetworkConfig): Gateways {
  const ordered = [...endpoints].sort(
    (a, b) => b.gatewayPriority - a.gatewayPriority || compareText(networkOf(a.networkId).name, networkOf(b.networkId).name),
  );
  const ipv4 = ordered.find((endpoint) => endpoint.ipv4Gateway !== undefined);
  const ipv6 = ordered.find((endpoint) => endpoint.ipv6Gateway !== undefined);
  return { ...(ipv4 && { 4: ipv4 }), ...(ipv6 && { 6: ipv6 }) };
}

export function gatewayAddresses(gateways: Gateways): { readonly 4?: string; readonly 6?: string } {
  const [ipv4, ipv6] = [gateways[4]?.ipv4Gateway, gateways[6]?.ipv6Gateway];
  return { ...(ipv4 !== undefined && { 4: ipv4 }), ...(ipv6 !== undefined && { 6: ipv6 }) };
}

/** Published ports lead to the gateway endpoint's address of each family. */
export function targetOf(gateways: Gateways): PortTarget {
  const [ipv4, ipv6] = [gateways[4]?.ipv4, gateways[6]?.ipv6];
  return { ...(ipv4 !== undefined && { ipv4 }), ...(ipv6 !== undefined && { ipv6 }) };
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}
