import { command, exactly } from "../command.ts";
import { link } from "../container/options/hosts.ts";
import { filledByDaemon } from "../container/options/network.ts";
import { ExitError } from "../errors.ts";
import { cut, int, list, strings, text } from "../flag-kinds.ts";

export const connect = command({
  usage: "[OPTIONS] NETWORK CONTAINER",
  args: exactly(2),
  completes: "networks",
  flags: {
    alias: strings(undefined, "Add network-scoped alias for the container"),
    driverOpt: strings(undefined, "driver options for the network"),
    gwPriority: int(undefined, "Highest gw-priority provides the default gateway. Accepts positive and negative values."),
    ip: text(undefined, 'IPv4 address (e.g., "172.30.100.104")'),
    ip6: text(undefined, 'IPv6 address (e.g., "2001:db8::33")'),
    link: list(undefined, "Add link to another container", link),
    linkLocalIp: strings(undefined, "Add a link-local address for the container"),
  },
  run: async ({ args, flags, client }) => {
    const [network = "", container = ""] = args;
    await client.networks.connect(network, container, {
      IPAMConfig: {
        ...(flags.ip ? { IPv4Address: flags.ip } : {}),
        ...(flags.ip6 ? { IPv6Address: flags.ip6 } : {}),
        ...(flags.linkLocalIp.length > 0 ? { LinkLocalIPs: flags.linkLocalIp } : {}),
      },
      Links: flags.link.length > 0 ? flags.link : null,
      Aliases: flags.alias.length > 0 ? flags.alias : null,
      DriverOpts: driverOptions(flags.driverOpt),
      GwPriority: flags.gwPriority,
      MacAddress: "",
      ...filledByDaemon,
    });
  },
});

function driverOptions(values: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    values.map((value) => {
      const [key, setting] = cut(value, "=");
      if (setting === undefined || key === "") throw new ExitError(1, "invalid key/value pair format in driver options");
      return [key.trim(), setting.trim()];
    }),
  );
}
