import { until } from "../../support/until.ts";
import { eventLine, type EventMessage } from "../event.ts";
import { play, solo, type PlayBook } from "../play.ts";
import { filterText } from "../query.ts";

/** What the daemon tells about each operation, in which order and with which attributes. */
export const events: PlayBook = {
  noun: "events",
  plays: [
    play("the life of a container (bug 25)", async (t) => {
      const id = await t.ended(["sh", "-c", "exit 3"], { Labels: { l: "1" } });
      await t.quiet("DELETE", `/containers/${id}`);
      await t.events("destroy");
    }),
    play("stop, kill, restart, pause, rename", async (t) => {
      const id = await t.running({ StopSignal: "SIGKILL" });
      await t.quiet("POST", `/containers/${id}/pause`);
      await t.quiet("POST", `/containers/${id}/unpause`);
      await t.quiet("POST", `/containers/${id}/rename?name=${t.name("renamed")}`);
      await t.quiet("POST", `/containers/${id}/restart?t=5`);
      await t.quiet("POST", `/containers/${id}/stop?t=5`);
      await t.quiet("DELETE", `/containers/${id}`);
      await t.events("destroy");
    }),
    play("force removal of a running container", async (t) => {
      const id = await t.running();
      await t.quiet("DELETE", `/containers/${id}?force=1`);
      await t.events("destroy");
    }),
    play("a kill for want of memory that the container survives", async (t) => {
      const limits = { Memory: 16 * 2 ** 20, MemorySwap: 16 * 2 ** 20 };
      const id = await t.running({ HostConfig: limits });
      const eats = await t.exec(id, { Cmd: ["sh", "-c", 'x=$(head -c 60000000 /dev/zero | tr "\\0" a); echo $x | wc -c'] });
      await t.quiet("POST", `/exec/${eats}/start`, { Detach: true });
      const killed = (): Promise<EventMessage[]> => t.readEvents({ container: [id], event: ["oom"] });
      await until(async () => (await killed()).length > 0, 8000);
      await t.call("GET", `/containers/${id}/json`, { only: ["State.OOMKilled", "State.Running"] });
      // The kernel tells one kill several times.
      t.note("oom", [...new Set((await killed()).map(eventLine))]);
    }),
    play("AutoRemove", async (t) => {
      await t.container({ Cmd: ["true"], HostConfig: { AutoRemove: true } }, { start: true });
      await t.events("destroy");
    }),
    play("a start that fails", async (t) => {
      const id = await t.container({ Cmd: ["/no/such/program"] });
      await t.call("POST", `/containers/${id}/start`);
      await t.quiet("DELETE", `/containers/${id}`);
      await t.events("destroy");
    }),
    play("execs", async (t) => {
      const container = await t.running();
      const id = await t.exec(container, { Cmd: ["sh", "-c", "exit 4"] });
      await t.stream("POST", `/exec/${id}/start`, { body: {} });
      await t.events("exec_die");
    }),
    play("attach and top, resize", async (t) => {
      const container = await t.container({ Cmd: ["cat"], OpenStdin: true, StdinOnce: true }, { start: true });
      await t.quiet("GET", `/containers/${container}/top`);
      await t.stream("POST", `/containers/${container}/attach?stream=1&stdin=1&stdout=1`, { input: "x", endInput: true });
      await t.events("die");
    }),
    play("networks", async (t) => {
      const id = await t.network(t.name("n"));
      const container = await t.running();
      await t.quiet("POST", `/networks/${id}/connect`, { Container: container });
      await t.quiet("POST", `/networks/${id}/disconnect`, { Container: container });
      await t.quiet("DELETE", `/networks/${id}`);
      await t.filteredEvents({ type: ["network"] });
      await t.filteredEvents({ network: [t.name("n")] });
    }),
    play("volumes", async (t) => {
      await t.quiet("POST", "/volumes/create", { Name: t.name("v") });
      await t.quiet("POST", "/volumes/create", { Name: t.name("v") });
      const id = await t.running({ HostConfig: { Binds: [`${t.name("v")}:/v:ro`] } });
      await t.quiet("DELETE", `/containers/${id}?force=1`);
      await t.quiet("DELETE", `/volumes/${t.name("v")}`);
      await t.filteredEvents({ type: ["volume"] });
      await t.filteredEvents({ volume: [t.name("v")] });
    }),
    solo("images", async (t) => {
      await t.quiet("POST", `/images/busybox/tag?repo=${t.name("i")}&tag=v1`);
      await t.quiet("DELETE", `/images/${t.name("i")}:v1`);
      const seen = await t.readEvents({ type: ["image"], event: ["tag", "untag", "delete"] });
      t.note(
        "events of images",
        seen.map(({ Action, Actor }) => [Action, Actor.ID, Actor.Attributes]),
      );
    }),
    play("filters of events", async (t) => {
      const id = await t.ended(["true"], { Labels: { "gantry.play": t.unique } });
      await t.events("die");
      for (const filters of [
        { container: [id] },
        { container: [t.name("c0")] },
        { container: [id.slice(0, 12)] },
        { event: ["die", "start"] },
        { type: ["container"], event: ["create"] },
        { label: [`gantry.play=${t.unique}`] },
        { label: ["gantry.play"], event: ["die"] },
        { image: ["busybox"] },
        { image: ["busybox:latest"] },
        { scope: ["local"], event: ["start"] },
        { scope: ["swarm"] },
        { type: ["nonsense"] },
      ])
        await t.filteredEvents(filters);
    }),
    play("the form of one event", async (t) => {
      const since = Math.floor(Date.now() / 1000);
      const until = (): string => (Date.now() / 1000 + 0.05).toFixed(3);
      const id = await t.container();
      await t.call("GET", `/events?since=${since}&until=${until()}&filters=${filterText({ container: [id] })}`, {
        values: ["Type", "Action", "scope", "status", "from"],
      });
      await t.network(t.name("n"));
      await t.call("GET", `/events?since=${since}&until=${until()}&filters=${filterText({ network: [t.name("n")] })}`, {
        values: ["Type", "Action", "scope"],
      });
    }),
    play("health of a container", async (t) => {
      await t.running({ Healthcheck: { Test: ["CMD", "true"], Interval: 2e8 } });
      await t.events("health_status: healthy");
    }),
  ],
};
