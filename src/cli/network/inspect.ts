import { atLeast, command } from "../command.ts";
import { bool, text } from "../flag-kinds.ts";
import { objectFormat } from "../help-texts.ts";
import { printInspections } from "../inspect/print.ts";

export const inspect = command({
  usage: "[OPTIONS] NETWORK [NETWORK...]",
  args: atLeast(1),
  completes: "networks",
  flags: { format: text("f", objectFormat), verbose: bool("v", "Add what helps to find faults") },
  run: (invocation) =>
    printInspections(invocation, invocation.args, async (name) => ({
      kind: "network",
      text: await invocation.client.networks.inspectRaw(name, { verbose: invocation.flags.verbose }),
    })),
});
