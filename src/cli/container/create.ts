import { messageOf } from "#lib/errors.ts";
import { atLeast, command } from "../command.ts";
import { ExitError } from "../errors.ts";
import { text } from "../flag-kinds.ts";
import { bodyOf, createContainer } from "./create-container.ts";
import { createFlags } from "./options/flags.ts";
import type { CreateBody } from "./options/request.ts";

export const create = command({
  usage: "[OPTIONS] IMAGE [COMMAND] [ARG...]",
  args: atLeast(1),
  stopAtFirstArgument: true,
  completes: "images",
  flags: {
    ...createFlags,
    pull: text(undefined, "When to pull the image: always, missing, never", { initially: "missing" }),
  },
  run: async (invocation) => {
    let body: CreateBody;
    try {
      body = await bodyOf(invocation);
    } catch (error) {
      throw new ExitError(125, `${invocation.program}: ${messageOf(error)}\n\nRun '${invocation.commandPath} --help' for more information`);
    }
    await invocation.out.line(await createContainer(invocation, body));
  },
});
