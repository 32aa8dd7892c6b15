import { atLeast, command } from "../command.ts";
import { text } from "../flag-kinds.ts";
import { objectFormat } from "../help-texts.ts";
import { printInspections } from "../inspect/print.ts";
import { platformQuery } from "./platform.ts";

export const inspect = command({
  usage: "[OPTIONS] IMAGE [IMAGE...]",
  args: atLeast(1),
  completes: "images",
  flags: {
    format: text("f", objectFormat),
    platform: text(
      undefined,
      "Inspect a specific platform of the multi-platform image.\nIf the image or the server is not multi-platform capable, the command will error out if the platform does not match.\n'os[/arch[/variant]]': Explicit platform (eg. linux/amd64)",
    ),
  },
  run: (invocation) =>
    printInspections(invocation, invocation.args, async (name) => ({
      kind: "image",
      text: await invocation.client.images.inspectRaw(name, { platform: platformQuery(invocation.flags.platform) }),
    })),
});
