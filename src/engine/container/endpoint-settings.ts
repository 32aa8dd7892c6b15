import { isIP } from "node:net";
import { containsAddress, parseCidr } from "#drivers/network/cidr.ts";
import { EngineError } from "#lib/errors.ts";
import type { EndpointSettings } from "#types/engine-api/index.ts";
import type { NetworkConfig } from "#types/record/network.ts";

/**
 * What a container asks of a network, before it is on it.
 * @param network  undefined: it is not there yet
 * @throws {EngineError} `invalid` with Docker's texts, every fault of the endpoint at once
 */
export function validateEndpointSettings(network: NetworkConfig | undefined, settings: EndpointSettings): void {
  const mac = settings.MacAddress ?? "";
  if (mac !== "" && !isMacAddress(mac)) throw new EngineError("invalid", `invalid MAC address ${mac}`);
  if (!network) return;
  const faults = endpointFaults(network, settings);
  if (faults.length > 0) throw new EngineError("invalid", `invalid endpoint settings:\n${listFaults(faults)}`);
}

function endpointFaults(network: NetworkConfig, settings: EndpointSettings): string[] {
  const { IPv4Address: ipv4 = "", IPv6Address: ipv6 = "", LinkLocalIPs: linkLocal } = settings.IPAMConfig ?? {};
  const faults: string[] = [];
  if (!network.nameResolution) {
    if (ipv4 !== "" || ipv6 !== "") faults.push("user specified IP address is supported on user defined networks only");
    if ((settings.Aliases ?? []).length > 0) faults.push("network-scoped alias is supported only for containers in user defined networks");
  }
  if (ipv4 !== "" && isIP(ipv4) !== 4) faults.push(`invalid IPv4 address: ${ipv4}`);
  if (ipv6 !== "" && isIP(ipv6) !== 6) faults.push(`invalid IPv6 address: ${ipv6}`);
  for (const address of linkLocal ?? []) if (isIP(address) === 0) faults.push(`invalid link-local IP address: ${address}`);
  return [...faults, ...rangeFaults(network, 4, ipv4), ...rangeFaults(network, 6, ipv6)];
}

function rangeFaults(network: NetworkConfig, family: 4 | 6, address: string): string[] {
  if (address === "") return [];
  const subnets = network.subnets.filter((subnet) => subnet.family === family);
  if (subnets.length === 0) return ["user specified IP address is supported only when connecting to networks with user configured subnets"];
  if (isIP(address) === family && subnets.some(({ subnet }) => isWithin(subnet, address))) return [];
  return [`no configured subnet or ip-range contain the IP address ${address}`];
}

function isWithin(subnet: string, address: string): boolean {
  const block = parseCidr(subnet);
  return block !== undefined && containsAddress(block, address);
}

/** As Go prints several errors: one as it is, more as a list. */
function listFaults(faults: readonly string[]): string {
  return faults.length === 1 ? faults.join() : faults.map((fault) => `* ${fault}`).join("\n");
}

/** Six pairs of hex digits, with colons or hyphens. Source: Go's net.ParseMAC, as far as Ethernet has it. */
function isMacAddress(text: string): boolean {
  return /^[0-9a-f]{2}([:-])[0-9a-f]{2}(\1[0-9a-f]{2}){4}$/i.test(text);
}
