import { play, type PlayBook } from "../play.ts";
import { filterText } from "../query.ts";
import type { Stage } from "../stage.ts";

const verbs = ["start", "stop?t=0", "restart?t=0", "kill", "pause", "unpause", "wait"] as const;

async function state(t: Stage, id: string): Promise<void> {
  await t.call("GET", `/containers/${id}/json`, {
    only: [
      "State.Status",
      "State.Running",
      "State.Paused",
      "State.Restarting",
      "State.Dead",
      "State.ExitCode",
      "State.Error",
      "RestartCount",
    ],
  });
}

/** One list of containers, only those of the play, as names. */
async function listed(t: Stage, filters: Readonly<Record<string, readonly string[]>>, query = "all=1"): Promise<void> {
  await t.list(`/containers/json?${query}&filters=${filterText({ name: [t.unique], ...filters })}`);
}

/** Everything between create and remove. */
export const containerLife: PlayBook = {
  noun: "container-life",
  plays: [
    play("every verb on a container that is missing", async (t) => {
      for (const verb of verbs) await t.call("POST", `/containers/${t.name()}/${verb}`);
      await t.call("POST", `/containers/${t.name()}/rename?name=${t.name("x")}`);
      await t.call("POST", `/containers/${t.name()}/resize?h=1&w=1`);
      await t.call("POST", `/containers/${t.name()}/exec`, { body: { Cmd: ["true"] } });
      await t.call("GET", `/containers/${t.name()}/json`);
      await t.call("GET", `/containers/${t.name()}/top`);
      await t.call("GET", `/containers/${t.name()}/logs?stdout=1`);
      await t.call("DELETE", `/containers/${t.name()}`);
      await t.call("DELETE", `/containers/${t.name()}?force=1`);
    }),
    play("every verb on a container that was never started", async (t) => {
      const id = await t.container();
      for (const verb of ["stop?t=0", "kill", "pause", "unpause"]) await t.call("POST", `/containers/${id}/${verb}`);
      await t.call("POST", `/containers/${id}/resize?h=1&w=1`);
      await t.call("POST", `/containers/${id}/exec`, { body: { Cmd: ["true"] } });
      await t.call("GET", `/containers/${id}/top`);
      await t.call("GET", `/containers/${id}/logs?stdout=1`);
      await t.call("DELETE", `/containers/${id}`);
    }),
    play("every verb on a container that has ended", async (t) => {
      const id = await t.ended(["sh", "-c", "exit 3"]);
      for (const verb of ["stop?t=0", "kill", "pause", "unpause", "wait"]) await t.call("POST", `/containers/${id}/${verb}`);
      await t.call("POST", `/containers/${id}/resize?h=1&w=1`);
      await t.call("POST", `/containers/${id}/exec`, { body: { Cmd: ["true"] } });
      await t.call("GET", `/containers/${id}/top`);
      await state(t, id);
    }),
    play("every verb on a container that runs", async (t) => {
      const id = await t.running();
      await t.call("POST", `/containers/${id}/start`);
      await t.call("POST", `/containers/${id}/unpause`);
      await t.call("DELETE", `/containers/${id}`);
      await t.call("POST", `/containers/${id}/restart?t=0`);
      await state(t, id);
      await t.call("POST", `/containers/${id}/stop?t=0`);
      await state(t, id);
      await t.call("POST", `/containers/${id}/restart?t=0`);
      await state(t, id);
    }),
    play("every verb on a container that is paused", async (t) => {
      const id = await t.running();
      await t.call("POST", `/containers/${id}/pause`);
      await state(t, id);
      await t.call("POST", `/containers/${id}/pause`);
      await t.call("POST", `/containers/${id}/start`);
      await t.call("POST", `/containers/${id}/exec`, { body: { Cmd: ["true"] } });
      await t.call("DELETE", `/containers/${id}`);
      await t.call("POST", `/containers/${id}/unpause`);
      await state(t, id);
      await t.call("POST", `/containers/${id}/pause`);
      await t.call("POST", `/containers/${id}/stop?t=0`);
      await state(t, id);
    }),
    play("inspect of a running container (bugs 1, 2, 5, 6, 7, 10)", async (t) => {
      const id = await t.running({
        Labels: { a: "b" },
        ExposedPorts: { "80/tcp": {}, "81/tcp": {} },
        HostConfig: {
          PortBindings: { "81/tcp": [{ HostIp: "127.0.0.1", HostPort: "" }] },
          Binds: [`${t.name("v")}:/v`],
          Tmpfs: { "/t": "" },
        },
      });
      await t.call("GET", `/containers/${id}/json`, { values: ["Path", "Args", "RestartCount", "Mounts", "NetworkSettings.Ports"] });
      await t.call("GET", `/containers/${id}/json?size=1`);
      await t.call("GET", `/containers/${id}/json`, { version: "v1.43" });
      await t.call("GET", `/containers/${id}/json`, { version: "v1.24" });
    }),
    play("inspect of ended containers", async (t) => {
      await state(t, await t.ended(["true"]));
      await state(t, await t.ended(["sh", "-c", "kill -9 $$"]));
      const id = await t.ended(["sh", "-c", "exit 255"]);
      await t.call("GET", `/containers/${id}/json`, { values: ["State.ExitCode"] });
    }),
    play("inspect finds by id, short id and name", async (t) => {
      const id = await t.container();
      for (const name of [id.slice(0, 12), t.name("c0"), `/${t.name("c0")}`, `%2F${t.name("c0")}`])
        await t.call("GET", `/containers/${name}/json`);
      t.know(id.toUpperCase(), "ID in capitals");
      await t.call("GET", `/containers/${id.toUpperCase()}/json`);
    }),
    play("starts that fail leave their reason in the state", async (t) => {
      const missing = await t.container({ Cmd: ["/no/such/program"] });
      await t.call("POST", `/containers/${missing}/start`);
      await t.call("GET", `/containers/${missing}/json`, { values: ["State.Status", "State.ExitCode", "State.Error"] });
      const folder = await t.container({ Cmd: ["/tmp"] });
      await t.call("POST", `/containers/${folder}/start`);
      await state(t, folder);
      const user = await t.container({ User: "nobody-such" });
      await t.call("POST", `/containers/${user}/start`);
      await state(t, user);
      const group = await t.container({ User: "root:nobody-such" });
      await t.call("POST", `/containers/${group}/start`);
      const bind = await t.container({ HostConfig: { Binds: [`/tmp/${t.name("bind")}:/etc/passwd/x`] } });
      await t.call("POST", `/containers/${bind}/start`);
      await t.call("POST", `/containers/create?name=${t.name("file")}`, { body: { Image: "busybox", WorkingDir: "/bin/busybox" } });
    }),
    play("start accepts an empty body and refuses a configuration", async (t) => {
      const id = await t.container();
      await t.call("POST", `/containers/${id}/start`, { body: {} });
      await t.call("POST", `/containers/${id}/stop?t=0`);
      await t.call("POST", `/containers/${id}/start`, { body: { Memory: 1 } });
    }),
    play("a published port that is taken", async (t) => {
      const first = await t.running({
        ExposedPorts: { "80/tcp": {} },
        HostConfig: { PortBindings: { "80/tcp": [{ HostIp: "127.0.0.1", HostPort: "" }] } },
      });
      const { NetworkSettings } = (await t.quiet("GET", `/containers/${first}/json`)) as {
        NetworkSettings: { Ports: Record<string, { HostPort: string }[]> };
      };
      const port = NetworkSettings.Ports["80/tcp"]?.[0]?.HostPort ?? "";
      const second = await t.container({
        ExposedPorts: { "80/tcp": {} },
        HostConfig: { PortBindings: { "80/tcp": [{ HostIp: "127.0.0.1", HostPort: port }] } },
      });
      await t.call("POST", `/containers/${second}/start`);
      await state(t, second);
    }),
    play("a port that is bound and not exposed", async (t) => {
      const id = await t.running({ HostConfig: { PortBindings: { "80/tcp": [{ HostIp: "127.0.0.1", HostPort: "" }] } } });
      await t.call("GET", `/containers/${id}/json`, { only: ["NetworkSettings.Ports", "HostConfig.PortBindings", "Config.ExposedPorts"] });
    }),
    play("the network of a container that does not run", async (t) => {
      const first = await t.container();
      const second = await t.container({ HostConfig: { NetworkMode: `container:${first}` } });
      await t.call("POST", `/containers/${second}/start`);
    }),
    play("the network of a container that runs", async (t) => {
      const first = await t.running();
      const second = await t.running({ HostConfig: { NetworkMode: `container:${t.name("c0")}` } });
      await t.call("GET", `/containers/${second}/json`, { values: ["HostConfig.NetworkMode"] });
      await t.call("DELETE", `/containers/${first}?force=1`);
    }),
    play("kill and its signals", async (t) => {
      const id = await t.running({ Cmd: ["sh", "-c", "trap : USR1; while :; do sleep 0.05; done"] });
      for (const signal of ["SIGUSR1", "USR1", "usr1", "10", "SIG42", "NONSENSE", "0", "-1", "99"])
        await t.call("POST", `/containers/${id}/kill?signal=${signal}`);
      await t.call("POST", `/containers/${id}/kill`);
      await t.reaches(id, "exited");
      await state(t, id);
    }),
    play("stop uses the container's signal, timeout 0 kills (bug 17)", async (t) => {
      const polite = await t.running({ Cmd: ["sh", "-c", "trap 'exit 7' INT; while :; do sleep 0.05; done"], StopSignal: "SIGINT" });
      await t.call("POST", `/containers/${polite}/stop`);
      await state(t, polite);
      const deaf = await t.running({ Cmd: ["sh", "-c", "trap '' TERM; while :; do sleep 0.05; done"], StopSignal: "SIGTERM" });
      await t.call("POST", `/containers/${deaf}/stop?t=0`);
      await state(t, deaf);
      const other = await t.running({ Cmd: ["sh", "-c", "trap 'exit 9' USR2; while :; do sleep 0.05; done"] });
      await t.call("POST", `/containers/${other}/stop?signal=SIGUSR2&t=-1`);
      await state(t, other);
      await t.call("POST", `/containers/${other}/stop?signal=NONSENSE`);
      await t.call("POST", `/containers/${deaf}/restart?t=0&signal=NONSENSE`);
    }),
    play("rename", async (t) => {
      const id = await t.container();
      await t.container({}, { name: t.name("other") });
      await t.call("POST", `/containers/${id}/rename?name=${t.name("renamed")}`);
      await t.call("GET", `/containers/${id}/json`, { values: ["Name"] });
      await t.call("POST", `/containers/${id}/rename?name=${t.name("renamed")}`);
      await t.call("POST", `/containers/${id}/rename?name=${t.name("other")}`);
      await t.call("POST", `/containers/${id}/rename?name=/${t.name("slash")}`);
      await t.call("POST", `/containers/${id}/rename?name=`);
      await t.call("POST", `/containers/${id}/rename?name=a%2Fb`);
      await t.call("POST", `/containers/${id}/rename`);
      await t.call("GET", `/containers/${id}/json`, { values: ["Name"] });
    }),
    play("remove, forced and not (bugs 14, 16)", async (t) => {
      const id = await t.running({ HostConfig: { Binds: [`${t.name("kept")}:/k`] }, Volumes: { "/anonymous": {} } });
      await t.call("DELETE", `/containers/${id}`);
      await t.call("DELETE", `/containers/${id}?force=1&v=1`);
      await t.call("DELETE", `/containers/${id}`);
      await t.call("GET", `/volumes/${t.name("kept")}`);
      const ended = await t.ended(["true"]);
      await t.call("DELETE", `/containers/${ended}?link=1`);
      await t.call("DELETE", `/containers/${ended}`);
    }),
    play("wait for every condition (bug 24)", async (t) => {
      const id = await t.ended(["sh", "-c", "exit 4"]);
      await t.call("POST", `/containers/${id}/wait`, { values: [""] });
      await t.call("POST", `/containers/${id}/wait?condition=not-running`, { values: [""] });
      await t.call("POST", `/containers/${id}/wait?condition=nonsense`);
      await t.call("POST", `/containers/${id}/wait?condition=next-exit`, { headOnly: true });
      const created = await t.container({ Cmd: ["sh", "-c", "exit 5"] });
      await t.call("POST", `/containers/${created}/wait`, { values: [""] });
      const next = t.call("POST", `/containers/${created}/wait?condition=next-exit`, { values: [""] });
      await Bun.sleep(200);
      await t.quiet("POST", `/containers/${created}/start`);
      await next;
      const removed = t.call("POST", `/containers/${created}/wait?condition=removed`, { values: [""] });
      await Bun.sleep(200);
      await t.quiet("DELETE", `/containers/${created}`);
      await removed;
    }),
    play("AutoRemove removes, and wait for it tells the code", async (t) => {
      const id = await t.container({ Cmd: ["sh", "-c", "exit 6"], HostConfig: { AutoRemove: true } });
      const removed = t.call("POST", `/containers/${id}/wait?condition=removed`, { values: [""] });
      await Bun.sleep(200);
      await t.quiet("POST", `/containers/${id}/start`);
      await removed;
      await t.call("GET", `/containers/${id}/json`);
    }),
    play("restart policies (bug 39)", async (t) => {
      const id = await t.container({ Cmd: ["false"], HostConfig: { RestartPolicy: { Name: "on-failure", MaximumRetryCount: 2 } } });
      await t.quiet("POST", `/containers/${id}/start`);
      await Bun.sleep(1500);
      await t.reaches(id, "exited");
      await state(t, id);
      const fine = await t.ended(["true"], { HostConfig: { RestartPolicy: { Name: "on-failure" } } });
      await state(t, fine);
    }),
    play("resize and its numbers", async (t) => {
      const id = await t.running({ Tty: true });
      for (const query of ["h=10&w=20", "h=10", "w=20", "", "h=0&w=0", "h=-1&w=-1", "h=a&w=b", "h=99999999999&w=1"])
        await t.call("POST", `/containers/${id}/resize?${query}`);
    }),
    play("top and its arguments", async (t) => {
      const id = await t.running();
      await t.call("GET", `/containers/${id}/top`, { values: ["Titles"] });
      await t.call("GET", `/containers/${id}/top?ps_args=-o+pid,comm`, { values: ["Titles"] });
      await t.call("GET", `/containers/${id}/top?ps_args=aux`, { values: ["Titles"] });
      await t.call("GET", `/containers/${id}/top?ps_args=--nonsense`);
      await t.call("GET", `/containers/${id}/top?ps_args=-o+comm`);
    }),
    play("list shows mounts, ports and networks (bug 11)", async (t) => {
      await t.running({
        Labels: { a: "b" },
        ExposedPorts: { "80/tcp": {} },
        HostConfig: {
          PortBindings: { "80/tcp": [{ HostIp: "127.0.0.1", HostPort: "" }] },
          ExposedPorts: {},
          Binds: [`${t.name("v")}:/v`, "/tmp:/w:ro"],
        },
      });
      await t.call("GET", `/containers/json?filters=${filterText({ name: [t.unique] })}`);

      await t.call("GET", `/containers/json?size=1&filters=${filterText({ name: [t.unique] })}`);
      const named = filterText({ name: [t.unique] });
      await t.call("GET", `/containers/json?filters=${named}`, {
        values: ["Mounts", "Ports.Type", "Ports.IP", "Labels", "HostConfig", "State", "Command", "Image"],
      });
      await t.call("GET", `/containers/json?filters=${named}`, { version: "v1.24" });
    }),
    play("list of one that was never started", async (t) => {
      await t.container({ ExposedPorts: { "80/tcp": {} } });
      await t.call("GET", `/containers/json?all=1&filters=${filterText({ name: [t.unique] })}`);
      await listed(t, {}, "all=0");
    }),
    play("list with every filter", async (t) => {
      const [running, created, ended] = [t.name("running"), t.name("created"), t.name("ended")];
      await t.network(t.name("net"));
      const id = await t.running(
        {
          Labels: { a: "b", [t.unique]: "1" },
          ExposedPorts: { "80/tcp": {} },
          HostConfig: { NetworkMode: t.name("net"), Binds: [`${t.name("v")}:/v`] },
        },
        running,
      );
      await t.container({ Labels: { a: "c" } }, { name: created });
      await t.container({ Cmd: ["sh", "-c", "exit 3"] }, { name: ended, start: true });
      // Docker answers a wait a moment before the list knows of the end.
      await t.reaches(ended, "exited");
      await listed(t, {});
      await listed(t, { status: ["running"] });
      await listed(t, { status: ["created", "exited"] });
      await listed(t, { status: ["exited"] }, "all=0");
      await listed(t, { status: ["nonsense"] });
      await listed(t, { exited: ["3"] });
      await listed(t, { exited: ["nonsense"] });
      await listed(t, { label: ["a"] });
      await listed(t, { label: ["a=b"] });
      await listed(t, { label: ["a=b", "a=c"] });
      await listed(t, { "label!": ["a=b"] });
      await listed(t, { name: [running] });
      await listed(t, { name: [`^/${running}$`] });
      await listed(t, { name: ["("] });
      await listed(t, { id: [id.slice(0, 10)] });
      await listed(t, { id: [id], name: [created] });
      await listed(t, { ancestor: ["busybox"] });
      await listed(t, { ancestor: ["busybox:latest"] });
      await listed(t, { ancestor: ["gantry-missing"] });
      await listed(t, { before: [created] });
      await listed(t, { since: [created] });
      await listed(t, { since: ["gantry-missing"] });
      await listed(t, { before: ["gantry-missing"] });
      await listed(t, { network: [t.name("net")] });
      await listed(t, { network: ["bridge"] });
      await listed(t, { volume: [t.name("v")] });
      await listed(t, { volume: ["/v"] });
      await listed(t, { volume: ["nonsense"] });
      await listed(t, { expose: ["80"] });
      await listed(t, { expose: ["80/tcp"] });
      await listed(t, { publish: ["80"] });
      await listed(t, { publish: ["nonsense"] });
      await listed(t, { health: ["none"] });
      await listed(t, { health: ["nonsense"] });
      await listed(t, { "is-task": ["false"] });
      await listed(t, { "is-task": ["nonsense"] });
      await listed(t, { isolation: ["default"] });
      await listed(t, { nonsense: ["x"] });
      await listed(t, {}, "limit=1");
      await listed(t, {}, "limit=-1");
      await listed(t, {}, "limit=a");
      await listed(t, {}, "all=nonsense");
    }),
    play("prune takes ended containers and those never started", async (t) => {
      const label = `gantry.play=${t.unique}`;
      const labels = { Labels: { "gantry.play": t.unique } };
      await t.running(labels);
      await t.container(labels);
      await t.ended(["true"], labels);
      await t.call("POST", `/containers/prune?filters=${filterText({ label: [label], until: ["1h"] })}`);
      await t.call("POST", `/containers/prune?filters=${filterText({ label: [label] })}`);
      await t.call("POST", `/containers/prune?filters=${filterText({ label: [label] })}`);
      await t.call("POST", `/containers/prune?filters=${filterText({ label: [label], nonsense: ["x"] })}`);
      await t.call("POST", `/containers/prune?filters=${filterText({ label: [label], until: ["nonsense"] })}`);
      await listed(t, {});
    }),
  ],
};
