import { play, type PlayBook } from "../play.ts";

const printing = ["sh", "-c", "echo one; sleep 0.2; echo two >&2; sleep 0.2; printf three"];

/** GET /containers/{id}/logs. */
export const logs: PlayBook = {
  noun: "logs",
  plays: [
    play("logs by stream and tail", async (t) => {
      const id = await t.ended(printing);
      for (const query of [
        "stdout=1&stderr=1",
        "stdout=1",
        "stderr=1",
        "stdout=true&tail=1",
        "stdout=1&stderr=1&tail=2",
        "stdout=1&tail=0",
        "stdout=1&tail=all",
        "stdout=1&tail=-1",
        "stdout=1&tail=nonsense",
      ])
        await t.stream("GET", `/containers/${id}/logs?${query}`, { frames: true });
    }),
    play("logs with timestamps and details", async (t) => {
      const id = await t.ended(["echo", "one"], {
        Env: ["A=1"],
        Labels: { l: "1" },
        HostConfig: { LogConfig: { Type: "json-file", Config: { labels: "l", env: "A" } } },
      });
      await t.stream("GET", `/containers/${id}/logs?stdout=1&timestamps=1`);
      await t.stream("GET", `/containers/${id}/logs?stdout=1&details=1`);
      await t.stream("GET", `/containers/${id}/logs?stdout=1&details=1&timestamps=1`);
    }),
    play("logs since and until", async (t) => {
      const id = await t.ended(printing);
      const now = Math.floor(Date.now() / 1000);
      for (const query of [
        `since=${now + 100}`,
        `since=${now - 100}`,
        `until=${now - 100}`,
        `until=${now + 100}`,
        `since=${now - 100}&until=${now + 100}`,
        "since=nonsense",
        "until=nonsense",
        "since=0&until=0",
        "since=1.5",
      ])
        await t.stream("GET", `/containers/${id}/logs?stdout=1&stderr=1&${query}`);
    }),
    play("logs that nobody asked a stream of", async (t) => {
      const id = await t.ended(["true"]);
      await t.call("GET", `/containers/${id}/logs`);
      await t.call("GET", `/containers/${id}/logs?stdout=0&stderr=0`);
    }),
    play("logs of a container without output", async (t) => {
      const id = await t.ended(["true"]);
      await t.stream("GET", `/containers/${id}/logs?stdout=1&stderr=1`);
      const running = await t.running();
      await t.call("GET", `/containers/${running}/logs?stdout=1&follow=1`, { headOnly: true });
    }),
    play("logs of a container never started", async (t) => {
      const id = await t.container();
      await t.stream("GET", `/containers/${id}/logs?stdout=1&stderr=1`);
    }),
    play("following ends with the container", async (t) => {
      const id = await t.container({ Cmd: ["sh", "-c", "echo one; sleep 0.5; echo two"] }, { start: true });
      await t.stream("GET", `/containers/${id}/logs?stdout=1&stderr=1&follow=1`);
      await t.stream("GET", `/containers/${id}/logs?stdout=1&stderr=1&follow=1`);
    }),
    play("following ends when the container is removed", async (t) => {
      const id = await t.running({ Cmd: ["sh", "-c", "echo one; sleep 1000"] });
      const following = t.stream("GET", `/containers/${id}/logs?stdout=1&follow=1`);
      await Bun.sleep(300);
      await t.quiet("DELETE", `/containers/${id}?force=1`);
      await following;
    }),
    play("logs of a container with a terminal are raw", async (t) => {
      const id = await t.ended(["echo", "one"], { Tty: true });
      await t.stream("GET", `/containers/${id}/logs?stdout=1`);
    }),
    play("logs without a log driver", async (t) => {
      const id = await t.ended(["echo", "one"], { HostConfig: { LogConfig: { Type: "none" } } });
      await t.call("GET", `/containers/${id}/logs?stdout=1`);
    }),
    play("logs of the driver local", async (t) => {
      const id = await t.ended(printing, { HostConfig: { LogConfig: { Type: "local" } } });
      await t.stream("GET", `/containers/${id}/logs?stdout=1&stderr=1`);
    }),
    play("lines that are long, empty, or not text", async (t) => {
      const id = await t.ended(["sh", "-c", "echo; head -c 20000 /dev/zero | tr '\\0' x; echo; printf '\\r\\nq\\r'"]);
      await t.stream("GET", `/containers/${id}/logs?stdout=1`);
    }),
    play("logs stay over a restart", async (t) => {
      const id = await t.ended(["echo", "one"]);
      await t.quiet("POST", `/containers/${id}/start`);
      await t.quiet("POST", `/containers/${id}/wait`);
      await t.stream("GET", `/containers/${id}/logs?stdout=1`);
    }),
  ],
};
