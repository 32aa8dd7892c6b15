import { cut, parseCsv } from "../../flag-kinds.ts";
import type { Flag } from "../../flags.ts";

/** One network to join, as `--network` describes it. */
export interface NetworkAttachment {
  readonly target: string;
  aliases: readonly string[];
  links: readonly string[];
  linkLocalIps: readonly string[];
  readonly driverOpts?: Readonly<Record<string, string>>;
  ipv4: string;
  ipv6: string;
  macAddress: string;
  readonly gwPriority: number;
}

export const networkFlag = (usage: string): Flag<readonly NetworkAttachment[]> => ({
  kind: "network",
  usage,
  otherNames: ["net"],
  initial: () => [],
  set: (value, previous) => [...previous, parseNetwork(value)],
});

const plain = (target: string): NetworkAttachment => ({
  target,
  aliases: [],
  links: [],
  linkLocalIps: [],
  ipv4: "",
  ipv6: "",
  macAddress: "",
  gwPriority: 0,
});

function parseNetwork(value: string): NetworkAttachment {
  if (!/\w+=\w+(,\w+=\w+)*/.test(value)) return plain(value);
  const fields: Record<string, string> = {};
  const aliases: string[] = [];
  const linkLocalIps: string[] = [];
  let driverOpts: Record<string, string> | undefined;
  for (const field of parseCsv(value)) {
    const [key, entry] = cut(field, "=");
    if (entry === undefined || key === "") throw new Error(`invalid field ${field}`);
    const name = key.trim().toLowerCase();
    const text = entry.trim();
    if (name === "alias") aliases.push(text);
    else if (name === "link-local-ip") linkLocalIps.push(text);
    else if (name === "driver-opt") {
      const [option, setting] = cut(text, "=");
      if (setting === undefined || option === "") throw new Error("invalid key value pair format in driver options");
      (driverOpts ??= {})[option.trim().toLowerCase()] = setting.trim();
    } else if (["name", "ip", "ip6", "mac-address", "gw-priority"].includes(name)) fields[name] = text;
    else throw new Error(`invalid field key ${name}`);
  }
  const target = fields["name"];
  if (!target) throw new Error("network name/id is not specified");
  const priority = fields["gw-priority"] ?? "0";
  if (!/^-?\d+$/.test(priority)) throw new Error(`invalid gw-priority (${priority})`);
  return {
    ...plain(target),
    aliases,
    linkLocalIps,
    ...(driverOpts ? { driverOpts } : {}),
    ipv4: fields["ip"] ?? "",
    ipv6: fields["ip6"] ?? "",
    macAddress: fields["mac-address"] ?? "",
    gwPriority: Number(priority),
  };
}

/** The older flags, which concern the first network. */
export interface FirstNetworkOptions {
  readonly aliases: readonly string[];
  readonly links: readonly string[];
  readonly linkLocalIps: readonly string[];
  readonly ipv4: string;
  readonly ipv6: string;
  readonly macAddress: string;
}

/** Endpoint settings by network, as the API wants them. @throws {Error} with Docker's words for what contradicts itself */
export function endpointsOf(networks: readonly NetworkAttachment[], first: FirstNetworkOptions): Record<string, object> {
  const endpoints: Record<string, object> = {};
  const attachments = networks.length > 0 ? networks : [plain("default")];
  attachments.forEach((network, index) => {
    const attachment = index === 0 ? withOlderFlags(network, first) : network;
    if (Object.hasOwn(endpoints, network.target)) throw new Error(`network ${JSON.stringify(network.target)} is specified multiple times`);
    const settings = endpointSettings(attachment);
    // One network named without any option is left to the daemon, as Docker's client does.
    if (networks.length !== 1 || hasOptions(attachment)) endpoints[network.target] = settings;
  });
  const userDefined = attachments.filter(({ target }) => isUserDefined(target)).length;
  if (userDefined > 0 && userDefined < attachments.length)
    throw new Error("conflicting options: cannot attach both user-defined and non-user-defined network-modes");
  return endpoints;
}

function hasOptions(network: NetworkAttachment): boolean {
  const { aliases, links, linkLocalIps, driverOpts, ipv4, ipv6, macAddress, gwPriority } = network;
  return (
    [aliases, links, linkLocalIps].some((list) => list.length > 0) ||
    driverOpts !== undefined ||
    gwPriority !== 0 ||
    `${ipv4}${ipv6}${macAddress}` !== ""
  );
}

function withOlderFlags(network: NetworkAttachment, first: FirstNetworkOptions): NetworkAttachment {
  const conflict = (what: string) => new Error(`conflicting options: cannot specify both ${what}`);
  if (network.aliases.length > 0 && first.aliases.length > 0) throw conflict("--network-alias and per-network alias");
  if (network.ipv4 !== "" && first.ipv4 !== "") throw conflict("--ip and per-network IPv4 address");
  if (network.ipv6 !== "" && first.ipv6 !== "") throw conflict("--ip6 and per-network IPv6 address");
  if (network.macAddress !== "" && first.macAddress !== "") throw conflict("--mac-address and per-network MAC address");
  if (network.linkLocalIps.length > 0 && first.linkLocalIps.length > 0)
    throw conflict("--link-local-ip and per-network link-local IP addresses");
  return {
    ...network,
    aliases: first.aliases.length > 0 ? first.aliases : network.aliases,
    links: first.links.length > 0 ? first.links : network.links,
    linkLocalIps: first.linkLocalIps.length > 0 ? first.linkLocalIps : network.linkLocalIps,
    ipv4: first.ipv4 || network.ipv4,
    ipv6: first.ipv6 || network.ipv6,
    macAddress: first.macAddress || network.macAddress,
  };
}

function isUserDefined(mode: string): boolean {
  return !["default", "bridge", "host", "none", ""].includes(mode) && !mode.startsWith("container:");
}

/** Docker's client sends these, empty. */
export const filledByDaemon = {
  NetworkID: "",
  EndpointID: "",
  Gateway: "",
  IPAddress: "",
  IPPrefixLen: 0,
  IPv6Gateway: "",
  GlobalIPv6Address: "",
  GlobalIPv6PrefixLen: 0,
  DNSNames: null,
} as const;

function endpointSettings(network: NetworkAttachment): object {
  if (network.target.trim() === "") throw new Error("no name set for network");
  if (!isUserDefined(network.target)) {
    if (network.aliases.length > 0) throw new Error("network-scoped aliases are only supported for user-defined networks");
    if (network.links.length > 0 && !["default", "bridge"].includes(network.target))
      throw new Error("links are only supported for user-defined networks");
  }
  if (network.macAddress !== "" && !/^([0-9a-fA-F]{2}([:-]))([0-9a-fA-F]{2}\2){4}[0-9a-fA-F]{2}$/.test(network.macAddress))
    throw new Error(`${network.macAddress} is not a valid mac address`);
  return {
    IPAMConfig: ipamConfig(network),
    Links: network.links.length > 0 && isUserDefined(network.target) ? network.links : null,
    Aliases: network.aliases.length > 0 ? network.aliases : null,
    MacAddress: network.macAddress,
    DriverOpts: network.driverOpts ?? null,
    GwPriority: network.gwPriority,
    ...filledByDaemon,
  };
}

function ipamConfig({ ipv4, ipv6, linkLocalIps }: NetworkAttachment): object | null {
  if (ipv4 === "" && ipv6 === "" && linkLocalIps.length === 0) return null;
  return {
    ...(ipv4 === "" ? {} : { IPv4Address: ipv4 }),
    ...(ipv6 === "" ? {} : { IPv6Address: ipv6 }),
    ...(linkLocalIps.length === 0 ? {} : { LinkLocalIPs: linkLocalIps }),
  };
}
