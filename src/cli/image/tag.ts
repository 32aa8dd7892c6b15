import { messageOf } from "#lib/errors.ts";
import { command, exactly } from "../command.ts";
import { ExitError } from "../errors.ts";
import { checkReference, parseReference } from "./reference.ts";

export const tag = command({
  usage: "SOURCE_IMAGE[:TAG] TARGET_IMAGE[:TAG]",
  args: exactly(2),
  completes: "images",
  flags: {},
  run: async ({ args, client }) => {
    const [source = "", target = ""] = args;
    const reference = parseReference(target);
    if (!reference)
      throw new ExitError(1, `Error parsing reference: ${JSON.stringify(target)} is not a valid repository/tag: ${faultOf(target)}`);
    if (reference.digest) throw new ExitError(1, "refusing to create a tag with a digest reference");
    await client.images.tag(source, target.replace(/:[\w][\w.-]*$/, ""), reference.tag ?? "latest");
  },
});

function faultOf(reference: string): string {
  try {
    checkReference(reference);
  } catch (error) {
    return messageOf(error);
  }
  return "invalid reference format"; // an id
}
