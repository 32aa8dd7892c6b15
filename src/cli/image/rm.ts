import { DaemonError } from "#client/errors.ts";
import { messageOf } from "#lib/errors.ts";
import { atLeast, command } from "../command.ts";
import { printFailures } from "../each.ts";
import { bool, strings } from "../flag-kinds.ts";
import { platformQuery } from "./platform.ts";

export const rm = command({
  usage: "[OPTIONS] IMAGE [IMAGE...]",
  args: atLeast(1),
  completes: "images",
  flags: {
    force: bool("f", "Remove images that stopped containers use, and all their names"),
    noPrune: bool(undefined, "Keep parents without a name"),
    platform: strings(undefined, "Remove this platform only: OS[/ARCH[/VARIANT]]"),
  },
  run: async (invocation) => {
    const { flags, args, client, out } = invocation;
    const platforms = flags.platform.map(platformQuery).filter((platform) => platform !== undefined);
    const failures: string[] = [];
    let isFatal = false;
    for (const name of args) {
      try {
        const options = { force: flags.force, noPrune: flags.noPrune, ...(platforms.length > 0 ? { platforms } : {}) };
        for (const { Deleted, Untagged } of await client.images.remove(name, options))
          await out.line(Deleted ? `Deleted: ${Deleted}` : `Untagged: ${Untagged ?? ""}`);
      } catch (error) {
        isFatal ||= !(error instanceof DaemonError && error.kind === "not_found");
        failures.push(messageOf(error));
      }
    }
    const code = await printFailures(invocation, failures);
    return flags.force && !isFatal ? 0 : code;
  },
});
