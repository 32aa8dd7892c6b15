import { command, exactly } from "../command.ts";
import { bool } from "../flag-kinds.ts";

export const disconnect = command({
  usage: "[OPTIONS] NETWORK CONTAINER",
  args: exactly(2),
  completes: "networks",
  flags: { force: bool("f", "Force the container to disconnect from a network") },
  run: async ({ args, flags, client }) => client.networks.disconnect(args[0] ?? "", args[1] ?? "", flags.force),
});
