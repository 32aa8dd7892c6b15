import { command, exactly } from "../command.ts";
import { bool } from "../flag-kinds.ts";

export const disconnect = command({
  usage: "[OPTIONS] NETWORK CONTAINER",
  args: exactly(2),
  completes: "networks",
  flags: { force: bool("f", "Go on when the container is gone or the network is in disorder") },
  run: async ({ args, flags, client }) => client.networks.disconnect(args[0] ?? "", args[1] ?? "", flags.force),
});
