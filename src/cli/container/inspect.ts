import { atLeast, command } from "../command.ts";
import { bool, text } from "../flag-kinds.ts";
import { objectFormat } from "../help-texts.ts";
import { printInspections } from "../inspect/print.ts";

export const inspect = command({
  usage: "[OPTIONS] CONTAINER [CONTAINER...]",
  args: atLeast(1),
  completes: "containers",
  flags: { format: text("f", objectFormat), size: bool("s", "Add the sizes of containers") },
  run: (invocation) =>
    printInspections(invocation, invocation.args, async (name) => ({
      kind: "container",
      text: await invocation.client.containers.inspectRaw(name, { size: invocation.flags.size }),
    })),
});
