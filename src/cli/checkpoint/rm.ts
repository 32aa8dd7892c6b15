import { command, exactly } from "../command.ts";
import { text } from "../flag-kinds.ts";
import { checkpointFolder } from "./folder.ts";

export const rm = command({
  usage: "[OPTIONS] CONTAINER CHECKPOINT",
  args: exactly(2),
  completes: "containers",
  examples: ["checkpoint rm web before-update"],
  flags: { checkpointDir: text(undefined, checkpointFolder) },
  run: async ({ args, flags, client }) => {
    const [container = "", checkpoint = ""] = args;
    await client.checkpoints.remove(container, checkpoint, flags.checkpointDir);
  },
});
