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
    alias: strings(undefined, "Further name of the container inside the network"),
    driverOpt: strings(undefined, "Option for this connection, KEY=VALUE"),
    gwPriority: int(undefined, "Priority as default gateway, a whole number: the highest of a container's networks is used"),
    ip: text(undefined, "IPv4 address in the network (default: a free one)"),
    ip6: text(undefined, "IPv6 address in the network (default: a free one)"),
    link: list(undefined, "Reach another container by a name: CONTAINER[:NAME]", link),
    linkLocalIp: strings(undefined, "Further link-local address"),
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
