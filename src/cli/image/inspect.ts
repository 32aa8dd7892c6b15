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
    platform: text(undefined, "Platform to look at: OS[/ARCH[/VARIANT]]; it is an error when the image is for another"),
  },
  run: (invocation) => {
    const platform = platformQuery(invocation.flags.platform);
    return printInspections(invocation, invocation.args, async (name) => ({
      kind: "image",
      text: await invocation.client.images.inspectRaw(name, { platform }),
    }));
  },
});
