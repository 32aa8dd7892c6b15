import { play, type PlayBook } from "../play.ts";

/** Checkpoints, of a daemon whose experimental features are off. */
export const checkpoint: PlayBook = {
  noun: "checkpoint",
  plays: [
    play("checkpoints are refused", async (t) => {
      const id = await t.container();
      await t.call("GET", `/containers/${id}/checkpoints`);
      await t.call("POST", `/containers/${id}/checkpoints`, { body: { CheckpointID: "one" } });
      await t.call("DELETE", `/containers/${id}/checkpoints/one`);
      await t.call("GET", `/containers/${t.name()}/checkpoints`);
      await t.call("POST", `/containers/${id}/start?checkpoint=one`);
      await t.call("POST", `/containers/${t.name()}/start?checkpoint=one`);
      await t.call("POST", `/containers/${id}/start?checkpoint-dir=/tmp`);
      await t.call("POST", `/containers/${t.name()}/start?checkpoint-dir=/tmp`);
      await t.call("GET", `/containers/${id}/json`, { only: ["State.Status", "State.Error", "State.ExitCode"] });
      await t.docker("checkpoint", "create", t.name("c0"), "one");
      await t.docker("checkpoint", "ls", t.name("c0"));
      await t.docker("start", "--checkpoint", "one", t.name("c0"));
    }),
  ],
};
