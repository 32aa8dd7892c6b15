import { afterAll, beforeAll, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { expectClean } from "../../support/audit.ts";
import { startDaemon, type TestDaemon } from "../../support/daemon.ts";
import { docker } from "../../support/docker.ts";
import { busybox, busyboxArchive, loadBusybox } from "../../support/images.ts";
import { until } from "../../support/until.ts";

let daemon: TestDaemon;
const cli = (...args: string[]) => docker(daemon.host, ...args);

beforeAll(async () => {
  daemon = await startDaemon();
  await loadBusybox(daemon);
});
afterAll(async () => {
  await expectClean(daemon);
  await daemon[Symbol.asyncDispose]();
});

const names = Array.from({ length: 6 }, (_, index) => `storm-${index}`);

/** One client that makes, starts, uses, stops and removes containers of a name over and over, whatever is answered. */
async function storm(name: string, isOver: () => boolean): Promise<void> {
  const call = (method: string, path: string, body?: object) => daemon.request(method, path, body).catch(() => undefined);
  const HostConfig = {
    NetworkMode: "net",
    Mounts: [{ Type: "volume", Source: name, Target: "/data" }],
    RestartPolicy: { Name: "on-failure" },
  };
  while (!isOver()) {
    await call("POST", `/containers/create?name=${name}`, { Image: busybox, Cmd: ["sh", "-c", "usleep 30000; exit 1"], HostConfig });
    await call("POST", `/containers/${name}/start`);
    await Promise.all([
      call("POST", `/containers/${name}/kill`),
      call("POST", `/containers/${name}/restart?t=0`),
      call("POST", `/containers/${name}/rename?name=${name}-renamed`),
      call("POST", `/containers/${name}/pause`),
      call("DELETE", `/containers/${name}-renamed?force=1`),
    ]);
    await call("POST", `/containers/${name}/unpause`);
    await call("DELETE", `/containers/${name}?force=1&v=1`);
  }
}

async function pidOf(id: string): Promise<number | undefined> {
  const { body } = await daemon.request("GET", `/containers/${id}/json`);
  return (body as { State?: { Pid: number } }).State?.Pid;
}

/** A state that is true: what is said to run has a process, and nothing else has one. */
async function expectTrueStates(): Promise<void> {
  const ids = (await cli("ps", "-aq", "--no-trunc")).stdout.split("\n").filter(Boolean);
  for (const id of ids) {
    const { status, body } = await daemon.request("GET", `/containers/${id}/json`);
    if (status === 404) continue; // removed meanwhile by its own rule
    expect(status).toBe(200);
    const { State } = body as { State: { Status: string; Pid: number } };
    const runs = ["running", "paused", "restarting"].includes(State.Status);
    expect({ ...State, Error: undefined }).toMatchObject({ Status: expect.stringMatching(/^(created|running|paused|restarting|exited)$/) });
    // It may end at this very moment: then another look tells so.
    if (State.Status === "running" && !existsSync(`/proc/${State.Pid}`)) await until(async () => (await pidOf(id)) !== State.Pid);
    if (!runs) expect({ id, pid: State.Pid }).toEqual({ id, pid: 0 });
  }
}

test("after kills of the daemon in the middle of storms everything listed is true, can be inspected and be removed (F1, F3)", async () => {
  await cli("network", "create", "net");
  for (let round = 0; round < 4; round++) {
    let isOver = false;
    const storms = names.map((name) => storm(name, () => isOver));
    await Bun.sleep(150 + Math.random() * 300); // any moment is the right one
    await daemon.kill();
    isOver = true;
    await Promise.all(storms);
    const start = performance.now();
    await daemon.start();
    expect(performance.now() - start).toBeLessThan(60_000);
    await expectTrueStates();
  }
  for (const id of (await cli("ps", "-aq")).stdout.split("\n").filter(Boolean)) {
    expect((await cli("inspect", id)).code).toBe(0);
    expect(await cli("rm", "-f", "-v", id)).toMatchObject({ code: 0, stderr: "" });
  }
  expect((await cli("ps", "-aq")).stdout).toBe("");
  for (const name of (await cli("volume", "ls", "-q")).stdout.split("\n").filter(Boolean))
    expect((await cli("volume", "rm", name)).code).toBe(0);
  expect((await cli("network", "rm", "net")).code).toBe(0);
  await expectClean(daemon);
}, 90_000);

/** Loads, tags, runs something in a container and removes images over and over, whatever is answered. */
async function imageStorm(archive: Uint8Array, isOver: () => boolean): Promise<void> {
  const call = (method: string, path: string, body?: object) => daemon.request(method, path, body).catch(() => undefined);
  const load = () => fetch("http://d/images/load?quiet=1", { unix: daemon.socket, method: "POST", body: archive }).catch(() => undefined);
  while (!isOver()) {
    await load();
    await Promise.all([
      call("POST", `/images/${busybox}/tag?repo=copied&tag=one`),
      call("POST", "/containers/stays/update", { Memory: 64 << 20, MemorySwap: -1 }),
      execIn("stays", call),
    ]);
    await Promise.all([call("DELETE", "/images/copied:one"), call("DELETE", `/images/${busybox}?force=1`), load()]);
  }
}

async function execIn(name: string, call: (method: string, path: string, body?: object) => Promise<{ body: unknown } | undefined>) {
  const made = await call("POST", `/containers/${name}/exec`, { Cmd: ["true"], AttachStdout: true });
  const { Id } = (made?.body ?? {}) as { Id?: string };
  if (Id !== undefined) await call("POST", `/exec/${Id}/start`, { Detach: true });
}

test("after kills in the middle of loads, tags, execs and removals an image is whole or absent (F1, F2)", async () => {
  const archive = await busyboxArchive();
  await cli("run", "-d", "--name", "stays", busybox, "sleep", "1000");
  for (let round = 0; round < 4; round++) {
    let isOver = false;
    const storms = [imageStorm(archive, () => isOver), imageStorm(archive, () => isOver)];
    await Bun.sleep(100 + Math.random() * 300);
    await daemon.kill();
    isOver = true;
    await Promise.all(storms);
    await daemon.start();
    expect((await cli("exec", "stays", "echo", "alive")).stdout).toBe("alive\n");
    for (const id of new Set((await cli("images", "-aq", "--no-trunc")).stdout.split("\n").filter(Boolean)))
      expect(await cli("run", "--rm", "--network", "none", id, "echo", "whole")).toMatchObject({ code: 0, stdout: "whole\n" });
    await loadBusybox(daemon);
    expect(await cli("run", "--rm", "--network", "none", busybox, "echo", "again")).toMatchObject({ code: 0, stdout: "again\n" });
  }
  await cli("rm", "-f", "stays");
  await expectClean(daemon);
}, 90_000);

test("storms of start, stop, kill and rm from many sides end in 404, in no stuck state (E9)", async () => {
  await cli("network", "create", "net");
  let isOver = false;
  const storms = [...names, ...names].map((name) => storm(name, () => isOver));
  await Bun.sleep(2000);
  isOver = true;
  await Promise.all(storms);
  for (const name of [...names, ...names.map((one) => `${one}-renamed`)]) {
    const { status } = await daemon.request("DELETE", `/containers/${name}?force=1`);
    expect({ name, isGone: status === 204 || status === 404 }).toEqual({ name, isGone: true });
    expect((await daemon.request("POST", `/containers/${name}/start`)).status).toBe(404);
  }
  expect((await cli("ps", "-aq")).stdout).toBe("");
  await cli("volume", "prune", "-af");
  expect((await cli("network", "rm", "net")).code).toBe(0);
  await expectClean(daemon);
  // A name of the storm is a name like any other afterwards.
  expect((await cli("run", "--rm", "--name", "storm-0", "--network", "none", busybox, "echo", "calm")).stdout).toBe("calm\n");
}, 60_000);

test("a daemon that is told to end leaves containers running and takes them up again (F8)", async () => {
  await cli("run", "-d", "--name", "stays", "--network", "none", busybox, "sh", "-c", "while ! [ -e /end ]; do usleep 10000; done; exit 5");
  const pid = (await cli("inspect", "stays", "--format", "{{.State.Pid}}")).stdout.trim();
  await daemon.stop();
  expect(existsSync(`/proc/${pid}`)).toBe(true);
  await daemon.start();
  expect((await cli("inspect", "stays", "--format", "{{.State.Status}} {{.State.Pid}}")).stdout).toBe(`running ${pid}\n`);
  await cli("exec", "stays", "touch", "/end");
  expect((await cli("wait", "stays")).stdout).toBe("5\n");
  await cli("rm", "stays");
}, 30_000);

test("purge ends paused containers too, and leaves nothing", async () => {
  const other = await startDaemon();
  await loadBusybox(other);
  await docker(other.host, "run", "-d", "--name", "frozen", busybox, "sleep", "1000");
  const pid = (await docker(other.host, "inspect", "frozen", "--format", "{{.State.Pid}}")).stdout.trim();
  expect((await docker(other.host, "pause", "frozen")).code).toBe(0);
  await other.kill();
  await other[Symbol.asyncDispose](); // purges, and fails when something stays
  expect(existsSync(`/proc/${pid}`)).toBe(false);
}, 30_000);
