import { play, type PlayBook } from "../play.ts";
import type { Stage } from "../stage.ts";

async function inspect(t: Stage, id: string): Promise<void> {
  await t.call("GET", `/exec/${id}/json`, {
    values: ["ExitCode", "Running", "ProcessConfig", "CanRemove", "OpenStdin", "OpenStdout", "OpenStderr", "DetachKeys"],
  });
}

const missing: readonly (readonly [what: string, body: Readonly<Record<string, unknown>>])[] = [
  ["a program by its path", { Cmd: ["/no/such/program"] }],
  ["a program", { Cmd: ["no-such-program"] }],
  ["a program that is a folder", { Cmd: ["/tmp"] }],
  ["a user", { Cmd: ["true"], User: "no-such-user" }],
  ["a group", { Cmd: ["true"], User: "root:no-such-group" }],
  ["a folder", { Cmd: ["pwd"], WorkingDir: "/no/such/folder" }],
];

async function execOfMissing(t: Stage, body: Readonly<Record<string, unknown>>): Promise<void> {
  const container = await t.running();
  const request = { AttachStdout: true, AttachStderr: true, ...body };
  const { json } = await t.call("POST", `/containers/${container}/exec`, { body: request });
  const { Id } = json as { Id?: string };
  if (Id === undefined) return;
  t.know(Id, "exec id");
  await t.stream("POST", `/exec/${Id}/start`, { body: {} });
  await inspect(t, Id);
}

/** Execs, without a terminal unless said. */
export const exec: PlayBook = {
  noun: "exec",
  plays: [
    play("create, start, inspect", async (t) => {
      const container = await t.running();
      const { json } = await t.call("POST", `/containers/${container}/exec`, {
        body: { Cmd: ["sh", "-c", "echo out; echo err >&2; exit 5"], AttachStdout: true, AttachStderr: true },
      });
      const id = (json as { Id: string }).Id;
      t.know(id, "exec id");
      await inspect(t, id);
      await t.stream("POST", `/exec/${id}/start`, { body: { Detach: false, Tty: false } });
      await inspect(t, id);
      await t.call("POST", `/exec/${id}/start`, { body: {} });
      await t.call("GET", `/containers/${container}/json`, { values: ["ExecIDs"] });
    }),
    play("create refuses", async (t) => {
      const id = await t.running();
      for (const body of [
        {},
        { Cmd: [] },
        { Cmd: [""] },
        { Cmd: null },
        { Cmd: "true" },
        { Cmd: ["true"], DetachKeys: "nonsense" },
        { Cmd: ["true"], ConsoleSize: [10, 10] },
        { Cmd: ["true"], ConsoleSize: [1] },
        { Cmd: ["true"], Env: ["=a"] },
      ])
        await t.call("POST", `/containers/${id}/exec`, { body });
    }),
    ...missing.map(([what, body]) => play(`exec of what is missing: ${what}`, (t) => execOfMissing(t, body))),
    play("environment, user, groups, folder, privileges", async (t) => {
      const container = await t.running({ Env: ["A=1"], WorkingDir: "/tmp" });
      for (const body of [
        { Cmd: ["sh", "-c", "echo $A $B $HOME; pwd; id"], Env: ["B=2"] },
        { Cmd: ["sh", "-c", "pwd; id"], User: "nobody", WorkingDir: "/etc" },
        { Cmd: ["id"], User: "1000:1000" },
        { Cmd: ["id"], User: "nobody:extra" },
        { Cmd: ["sh", "-c", "grep -q CapEff:.0*0 /proc/self/status; id -u"], Privileged: true },
      ]) {
        const id = await t.exec(container, body);
        await t.stream("POST", `/exec/${id}/start`, { body: {} });
      }
    }),
    play("the end of stdin reaches the program (bug 23)", async (t) => {
      const container = await t.running();
      const id = await t.exec(container, { Cmd: ["cat"], AttachStdin: true });
      await t.stream("POST", `/exec/${id}/start`, { body: { Detach: false }, input: "one\ntwo\n", endInput: true });
      await inspect(t, id);
    }),
    play("detached", async (t) => {
      const container = await t.running();
      const id = await t.exec(container, { Cmd: ["sh", "-c", "exit 4"] });
      await t.call("POST", `/exec/${id}/start`, { body: { Detach: true } });
      await Bun.sleep(700);
      await inspect(t, id);
      const silent = await t.exec(container, { Cmd: ["sleep", "1"], AttachStdout: false, AttachStderr: false });
      await t.call("POST", `/exec/${silent}/start`, { body: { Detach: true } });
    }),
    play("without streams and not detached (bug 21)", async (t) => {
      const container = await t.running();
      const id = await t.exec(container, { Cmd: ["true"], AttachStdout: false, AttachStderr: false });
      await t.stream("POST", `/exec/${id}/start`, { body: {} });
    }),
    play("start without an Upgrade header is answered 200", async (t) => {
      const container = await t.running();
      const id = await t.exec(container, { Cmd: ["echo", "out"] });
      await t.stream("POST", `/exec/${id}/start`, { body: {}, upgrade: false });
    }),
    play("with a terminal the stream is raw", async (t) => {
      const container = await t.running();
      // crun 1.8 sets the size a moment after the program has begun.
      const id = await t.exec(container, { Cmd: ["sh", "-c", "sleep 0.2; test -t 1 && stty size"], Tty: true, ConsoleSize: [24, 80] });
      await t.stream("POST", `/exec/${id}/start`, { body: { Tty: true, ConsoleSize: [24, 80] } });
      await inspect(t, id);
    }),
    play("console sizes that do not fit", async (t) => {
      const container = await t.running();
      const id = await t.exec(container, { Cmd: ["true"] });
      await t.call("POST", `/exec/${id}/start`, { body: { Tty: false, ConsoleSize: [24, 80] } });
    }),
    play("exec ids that are missing", async (t) => {
      await t.call("GET", `/exec/${t.name()}/json`);
      await t.call("POST", `/exec/${t.name()}/start`, { body: {} });
      await t.call("POST", `/exec/${t.name()}/resize?h=1&w=1`);
    }),
    play("resize of an exec", async (t) => {
      const container = await t.running();
      const id = await t.exec(container, { Cmd: ["sleep", "100"], Tty: true });
      await t.call("POST", `/exec/${id}/resize?h=10&w=10`);
      await t.call("POST", `/exec/${id}/start`, { body: { Detach: true, Tty: true } });
      for (const query of ["h=10&w=10", "h=10", "h=a&w=b", "h=-1&w=1", "h=0&w=0"]) await t.call("POST", `/exec/${id}/resize?${query}`);
    }),
    play("execs of a container that has stopped", async (t) => {
      const container = await t.running();
      const id = await t.exec(container, { Cmd: ["true"] });
      await t.quiet("POST", `/containers/${container}/stop?t=0`);
      await t.call("POST", `/exec/${id}/start`, { body: {} });
      await t.call("GET", `/exec/${id}/json`);
    }),
    play("execs of a container that is paused", async (t) => {
      const container = await t.running();
      const id = await t.exec(container, { Cmd: ["true"] });
      await t.quiet("POST", `/containers/${container}/pause`);
      await t.call("POST", `/exec/${id}/start`, { body: {} });
      await t.quiet("POST", `/containers/${container}/unpause`);
    }),
    play("an exec that runs is listed, and ends with its container", async (t) => {
      const container = await t.running();
      const id = await t.exec(container, { Cmd: ["sleep", "1000"] });
      await t.call("POST", `/exec/${id}/start`, { body: { Detach: true } });
      await t.call("GET", `/exec/${id}/json`, { values: ["Running", "ExitCode"] });
      await t.call("GET", `/containers/${container}/json`, { values: ["ExecIDs"] });
      await t.call("DELETE", `/containers/${container}?force=1`);
      await t.call("GET", `/exec/${id}/json`);
    }),
  ],
};
