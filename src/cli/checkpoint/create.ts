import { command, exactly } from "../command.ts";
import { bool, text } from "../flag-kinds.ts";
import { checkpointFolder } from "./folder.ts";

export const create = command({
  usage: "[OPTIONS] CONTAINER CHECKPOINT",
  args: exactly(2),
  completes: "containers",
  examples: ["checkpoint create web before-update", "checkpoint create --leave-running --checkpoint-dir /srv/checkpoints web nightly"],
  flags: {
    checkpointDir: text(undefined, checkpointFolder),
    leaveRunning: bool(undefined, "Let the container run on"),
  },
  run: async ({ args, flags, client, out }) => {
    const [container = "", checkpoint = ""] = args;
    await client.checkpoints.create(container, {
      CheckpointID: checkpoint,
      CheckpointDir: flags.checkpointDir,
      Exit: !flags.leaveRunning,
    });
    await out.line(checkpoint);
  },
});
