import { command, exactly, type Invocation } from "../command.ts";
import { labelEntry, readLabels } from "../container/options/environment.ts";
import { ExitError } from "../errors.ts";
import { bool, list, map, strings, text } from "../flag-kinds.ts";
import { contains, isSubnet } from "./subnet.ts";

const createNetworkFlags = {
  attachable: bool(undefined, "Let containers outside of services join"),
  auxAddress: map(undefined, "Address that is taken already, NAME=ADDRESS"),
  configFrom: text(undefined, "Network to copy the settings from"),
  configOnly: bool(undefined, "Keep settings only, for --config-from"),
  driver: text("d", "Driver of the network", { initially: "bridge" }),
  gateway: strings(undefined, "Address of the gateway in the subnet"),
  ingress: bool(undefined, "Make the network that spreads published ports over a swarm"),
  internal: bool(undefined, "No way out of the network, and none in"),
  ipRange: strings(undefined, "Part of the subnet that containers get addresses from, as CIDR"),
  ipamDriver: text(undefined, "Driver that gives out addresses", { initially: "default" }),
  ipamOpt: map(undefined, "Option of the address driver, KEY=VALUE"),
  ipv4: bool(undefined, "Give containers IPv4 addresses", { initially: true }),
  ipv6: bool(undefined, "Give containers IPv6 addresses"),
  label: list(undefined, "Label, KEY=VALUE", labelEntry),
  opt: map("o", "Option of the driver, KEY=VALUE"),
  scope: text(undefined, "Reach of the network: local or swarm"),
  subnet: strings(undefined, "Addresses of the network, as CIDR"),
} as const;

export const create = command({
  usage: "[OPTIONS] NETWORK",
  args: exactly(1),
  examples: ["network create --subnet 10.20.0.0/16 backend"],
  flags: createNetworkFlags,
  run: async (invocation) => {
    const answer = await invocation.client.networks.create(await networkBody(invocation));
    if (answer.Warning) await invocation.err.line(`WARNING: ${answer.Warning}`);
    await invocation.out.line(answer.Id);
  },
});

async function networkBody({ args, flags, changed }: Invocation<typeof createNetworkFlags>): Promise<object> {
  return {
    Name: args[0] ?? "",
    Driver: flags.driver,
    Scope: flags.scope,
    ...(changed.has("ipv4") ? { EnableIPv4: flags.ipv4 } : {}),
    ...(changed.has("ipv6") ? { EnableIPv6: flags.ipv6 } : {}),
    IPAM: { Driver: flags.ipamDriver, Options: flags.ipamOpt, Config: subnets(flags) },
    Internal: flags.internal,
    Attachable: flags.attachable,
    Ingress: flags.ingress,
    ConfigOnly: flags.configOnly,
    ConfigFrom: flags.configFrom === "" ? null : { Network: flags.configFrom },
    Options: flags.opt,
    Labels: await readLabels([], flags.label),
  };
}

interface Subnet {
  Subnet: string;
  IPRange?: string;
  Gateway?: string;
  AuxiliaryAddresses?: Record<string, string>;
}

/** Ranges, gateways and reserved addresses go to the subnet that contains them. */
function subnets({ subnet, ipRange, gateway, auxAddress }: Invocation<typeof createNetworkFlags>["flags"]): Subnet[] {
  if (subnet.length < ipRange.length || subnet.length < gateway.length)
    throw new ExitError(1, "every ip-range or gateway must have a corresponding subnet");
  for (const [at, one] of subnet.entries())
    if (subnet.some((other, position) => position !== at && contains(other, one.split("/", 1)[0] ?? "")))
      throw new ExitError(1, "multiple overlapping subnet configuration is not supported");
  for (const range of ipRange) if (!isSubnet(range)) throw new ExitError(1, `invalid CIDR address: ${range}`);
  const configs = subnet.map((Subnet): Subnet => ({ Subnet }));
  const of = (address: string, what: string): Subnet => {
    const found = configs.find(({ Subnet }) => contains(Subnet, address.split("/", 1)[0] ?? ""));
    if (!found) throw new ExitError(1, `no matching subnet for ${what} ${address}`);
    return found;
  };
  for (const range of ipRange) {
    const config = of(range, "range");
    if (config.IPRange)
      throw new ExitError(1, `cannot configure multiple ranges (${range}, ${config.IPRange}) on the same subnet (${config.Subnet})`);
    config.IPRange = range;
  }
  for (const address of gateway) {
    const config = of(address, "gateway");
    if (config.Gateway)
      throw new ExitError(1, `cannot configure multiple gateways (${address}, ${config.Gateway}) for the same subnet (${config.Subnet})`);
    config.Gateway = address;
  }
  for (const [name, address] of Object.entries(auxAddress)) (of(address, "aux-address").AuxiliaryAddresses ??= {})[name] = address;
  return configs;
}
