import { until } from "../../support/until.ts";
import { play, type PlayBook } from "../play.ts";
import { filterText } from "../query.ts";
import type { Stage } from "../stage.ts";

interface Inspected {
  readonly State: { readonly Health?: { readonly Status: string; readonly Log: readonly unknown[] } };
}

async function reaches(t: Stage, id: string, status: string): Promise<void> {
  await until(async () => ((await t.quiet("GET", `/containers/${id}/json`)) as Inspected).State.Health?.Status === status, 15_000);
}

const health = ["State.Health.Status", "State.Health.FailingStreak"];
const see = (t: Stage, id: string, only: readonly string[] = health) => t.call("GET", `/containers/${id}/json`, { only });

/** The first result of a check: what it was, without its times. */
async function firstResult(t: Stage, id: string): Promise<void> {
  const { State } = (await t.quiet("GET", `/containers/${id}/json`)) as {
    State: { Health: { Log: { ExitCode: number; Output: string }[] } };
  };
  const [first] = State.Health.Log;
  t.note("the first result", { ExitCode: first?.ExitCode, Output: first?.Output.slice(0, 200), length: first?.Output.length });
}

const fast = { Interval: 3e8, Retries: 1 };

/** Health checks as the daemon runs them. */
export const healthChecks: PlayBook = {
  noun: "health",
  plays: [
    play("health: created, starting, healthy", async (t) => {
      const id = await t.container({ Healthcheck: { Test: ["CMD", "true"], Interval: 6e8 } });
      await see(t, id, ["State.Health", "Config.Healthcheck"]);
      await t.quiet("POST", `/containers/${id}/start`);
      await see(t, id, ["State.Health"]);
      await t.docker("ps", "-a", "--filter", `name=${t.unique}`, "--format", "{{.Status}}");
      await reaches(t, id, "healthy");
      await see(t, id);
      await t.call("GET", `/containers/json?filters=${filterText({ health: ["healthy"], name: [t.unique] })}`, { own: true });
      await t.docker("ps", "--filter", `name=${t.unique}`, "--format", "{{.Status}}");
      await t.docker("ps", "-q", "--filter", `name=${t.unique}`, "--filter", "health=unhealthy");
      await t.events("health_status: healthy");
    }),
    play("health: unhealthy, after a stop, and started again", async (t) => {
      const id = await t.running({ Healthcheck: { Test: ["CMD-SHELL", "echo out; exit 3"], Interval: 1e9, Retries: 1 } });
      await reaches(t, id, "unhealthy");
      await see(t, id);
      await firstResult(t, id);
      await t.docker("ps", "--filter", `name=${t.unique}`, "--format", "{{.Status}}");
      await t.quiet("POST", `/containers/${id}/stop?t=0`);
      await see(t, id);
      await t.docker("ps", "-a", "--filter", "health=unhealthy", "--filter", `name=${t.unique}`, "--format", "{{.Names}}");
      await t.quiet("POST", `/containers/${id}/start`);
      await see(t, id);
    }),
    play("health: paused containers", async (t) => {
      const id = await t.running({ Healthcheck: { Test: ["CMD", "true"], ...fast } });
      await reaches(t, id, "healthy");
      await t.quiet("POST", `/containers/${id}/pause`);
      await see(t, id);
      await t.docker("ps", "--filter", `name=${t.unique}`, "--format", "{{.Status}}");
      await t.quiet("POST", `/containers/${id}/unpause`);
      await t.docker("ps", "--filter", `name=${t.unique}`, "--format", "{{.Status}}");
    }),
    play("health: a check that hangs", async (t) => {
      const id = await t.running({ Healthcheck: { Test: ["CMD-SHELL", "echo begin; sleep 100"], Timeout: 15e8, ...fast } });
      await reaches(t, id, "unhealthy");
      await firstResult(t, id);
    }),
    play("health: a check with long output", async (t) => {
      const id = await t.running({ Healthcheck: { Test: ["CMD-SHELL", "yes | head -c 9000; exit 1"], ...fast } });
      await reaches(t, id, "unhealthy");
      await firstResult(t, id);
    }),
    play("health: a check that cannot be run", async (t) => {
      const id = await t.running({ Healthcheck: { Test: ["CMD", "no-such-program", "x"], ...fast } });
      await reaches(t, id, "unhealthy");
      await firstResult(t, id);
    }),
    play("health: failures in the start period do not count", async (t) => {
      const id = await t.running({ Healthcheck: { Test: ["CMD", "false"], StartPeriod: 1e11, StartInterval: 2e8, Retries: 1 } });
      await until(async () => (((await t.quiet("GET", `/containers/${id}/json`)) as Inspected).State.Health?.Log.length ?? 0) >= 2);
      await see(t, id);
    }),
    play("health: nothing to check", async (t) => {
      for (const test of [["NONE"], ["FOO", "x"], []]) {
        const id = await t.running({ Healthcheck: { Test: test } });
        await see(t, id, ["State.Health"]);
      }
      await t.docker("ps", "-q", "--filter", "health=starting", "--filter", `name=${t.unique}`);
    }),
    play("health: flags of docker run", async (t) => {
      const name = t.name("flags");
      await t.docker(
        ...["create", "--name", name, "--health-cmd", "a && b", "--health-interval", "2s", "--health-timeout", "3s"],
        ...["--health-retries", "4", "--health-start-period", "5s", "--health-start-interval", "6s", "busybox"],
      );
      await see(t, name, ["Config.Healthcheck"]);
      await t.docker("create", "--name", t.name("none"), "--no-healthcheck", "busybox");
      await see(t, t.name("none"), ["Config.Healthcheck"]);
      await t.docker("create", "--name", t.name("both"), "--no-healthcheck", "--health-cmd", "x", "busybox");
      await t.docker("create", "--name", t.name("low"), "--health-interval", "1us", "busybox");
      await t.docker("create", "--name", t.name("low"), "--health-retries", "-1", "busybox");
    }),
  ],
};
