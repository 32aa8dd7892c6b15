import { play, type PlayBook } from "../play.ts";

const base = (id: string): string => `/containers/${id}/checkpoints`;

/** A daemon whose experimental features are on. What criu makes of a container depends on the kernel, and is no part of it. */
export const checkpointExperimental: PlayBook = {
  noun: "checkpoint-experimental",
  experimental: true,
  plays: [
    play("a daemon with experimental features says so", async (t) => {
      await t.call("GET", "/_ping", { showHeaders: ["Docker-Experimental"] });
      await t.call("GET", "/version", { only: ["Experimental", "Components.0.Details.Experimental"] });
      await t.call("GET", "/info", { only: ["ExperimentalBuild"] });
      await t.docker("version", "--format", "{{.Server.Experimental}}");
    }),
    play("checkpoints of a container that has none", async (t) => {
      const id = await t.container();
      await t.call("GET", base(id), { values: [""] });
      await t.call("GET", `${base(id)}?dir=/nonexistent`);
      await t.call("GET", base(t.name()));
      await t.call("DELETE", `${base(id)}/one`);
      await t.call("DELETE", `${base(id)}/.one`);
      await t.call("DELETE", `${base(id)}/one?dir=/nonexistent`);
      await t.call("DELETE", `${base(t.name())}/one`);
      await t.docker("checkpoint", "ls", t.name("c0"));
      await t.docker("checkpoint", "ls", "--checkpoint-dir", "/nonexistent", t.name("c0"));
      await t.docker("checkpoint", "ls", t.name());
      await t.docker("checkpoint", "rm", t.name("c0"), "one");
    }),
    play("checkpoints that cannot be written", async (t) => {
      const id = await t.container();
      await t.call("POST", base(id), { body: { CheckpointID: "one" } });
      await t.call("POST", base(t.name()), { body: { CheckpointID: "one" } });
      await t.call("POST", base(id), { body: { CheckpointID: 1 } });
      await t.call("POST", base(id), { body: "{", headers: { "Content-Type": "application/json" } });
      await t.call("POST", base(id));
      await t.docker("checkpoint", "create", t.name("c0"), "one");
      await t.docker("checkpoint", "create", t.name(), "one");
      const running = await t.container({}, { start: true });
      for (const name of ["", ".one", "-one", "a/b", "..", "../one", "o", "one two", "é1"]) {
        await t.call("POST", base(running), { body: { CheckpointID: name } });
      }
      await t.call("POST", base(running), { body: "" });
      await t.docker("checkpoint", "create", t.name("c1"), ".one");
      await t.call("GET", base(running), { values: [""] });
    }),
    play("a start from a checkpoint that is not there", async (t) => {
      const id = await t.container();
      await t.call("POST", `/containers/${id}/start?checkpoint=one`);
      await t.call("GET", `/containers/${id}/json`, { only: ["State.Status", "State.Error", "State.ExitCode"] });
      await t.call("POST", `/containers/${id}/start?checkpoint=../one`);
      await t.call("POST", `/containers/${t.name()}/start?checkpoint=one`);
      await t.call("POST", `/containers/${id}/start?checkpoint=one&checkpoint-dir=/nonexistent`);
      await t.call("POST", `/containers/${id}/start?checkpoint-dir=/nonexistent`);
      await t.docker("start", "--checkpoint", "one", t.name("c0"));
      await t.docker("start", "--checkpoint", "one", t.name("c0"), t.name("c0"));
      await t.call("GET", `/containers/${id}/json`, { only: ["State.Status", "State.Error", "State.ExitCode"] });
      const running = await t.container({}, { start: true });
      await t.call("POST", `/containers/${running}/start?checkpoint=one`);
      await t.docker("start", "--checkpoint", "one", t.name("c1"));
    }),
  ],
};
