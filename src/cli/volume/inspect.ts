import { atLeast, command } from "../command.ts";
import { text } from "../flag-kinds.ts";
import { objectFormat } from "../help-texts.ts";
import { printInspections } from "../inspect/print.ts";

export const inspect = command({
  usage: "[OPTIONS] VOLUME [VOLUME...]",
  args: atLeast(1),
  completes: "volumes",
  flags: { format: text("f", objectFormat) },
  run: (invocation) =>
    printInspections(invocation, invocation.args, async (name) => ({
      kind: "volume",
      isStructOnly: true,
      text: await invocation.client.volumes.inspectRaw(name),
    })),
});
