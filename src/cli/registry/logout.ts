import { messageOf } from "#lib/errors.ts";
import { atMost, command } from "../command.ts";
import { eraseCredentials } from "./keep-credentials.ts";
import { hubServer, serverKey } from "./server.ts";

export const logout = command({
  usage: "[SERVER]",
  args: atMost(1),
  flags: {},
  examples: ["logout registry.example:5000"],
  run: async ({ args, config, out, err }) => {
    const server = args[0] ?? hubServer;
    const key = serverKey(server);
    await out.line(`Removing login credentials for ${key}`);
    // Clients of long ago kept whole URLs.
    const names = key === hubServer ? [key] : [...new Set([server, key, `http://${key}`, `https://${key}`])];
    const failures: string[] = [];
    for (const name of names) {
      try {
        await eraseCredentials(await config(), name);
      } catch (error) {
        failures.push(`${name}: ${messageOf(error)}`);
      }
    }
    if (failures.length < names.length) return;
    await err.line("WARNING: could not erase credentials:");
    for (const failure of failures) await err.line(failure);
  },
});
