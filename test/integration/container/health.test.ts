import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { endClean } from "../../support/audit.ts";
import { startDaemon, type TestDaemon } from "../../support/daemon.ts";
import { docker } from "../../support/docker.ts";
import { busybox, loadBusybox } from "../../support/images.ts";
import { until } from "../../support/until.ts";

let daemon: TestDaemon;
const cli = (...args: string[]) => docker(daemon.host, ...args);
const read = async (name: string, format: string) => (await cli("inspect", name, "--format", format)).stdout.trim();
const health = (name: string) => read(name, "{{.State.Health.Status}}");
const isHealth = (name: string, status: string) => until(async () => (await health(name)) === status);
const psStatus = async (name: string) => (await cli("ps", "-a", "--filter", `name=^${name}$`, "--format", "{{.Status}}")).stdout.trim();

/** What its events have told so far. */
async function actions(name: string): Promise<string[]> {
  const until = (Date.now() / 1000 + 0.05).toFixed(3);
  const { text } = await daemon.request("GET", `/events?since=1&until=${until}&filters={"container":["${name}"]}`);
  return text
    .split("\n")
    .filter(Boolean)
    .map((line) => (JSON.parse(line) as { Action: string }).Action);
}

interface Result {
  readonly Start: string;
  readonly End: string;
  readonly ExitCode: number;
  readonly Output: string;
}
const log = async (name: string) => JSON.parse(await read(name, "{{json .State.Health.Log}}")) as Result[];

beforeAll(async () => {
  daemon = await startDaemon();
  await loadBusybox(daemon);
});
afterAll(async () => {
  await endClean(daemon);
});

/** Runs a container with a check every 100 ms that is removed whatever happens. */
async function checked(name: string, command: string, ...flags: string[]): Promise<AsyncDisposable> {
  const { code, stderr } = await cli(
    ...["run", "-d", "--name", name, "--health-cmd", command, "--health-interval", "100ms", "--health-retries", "2"],
    ...flags,
    ...[busybox, "sleep", "1000"],
  );
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  return { [Symbol.asyncDispose]: async () => void (await cli("rm", "-f", name)) };
}

/** Processes of a container whose command line begins like this, by pid. */
async function processes(name: string, program: string): Promise<number[]> {
  const { stdout } = await cli("top", name, "-eo", "pid,args");
  const found = [...stdout.matchAll(/^\s*(\d+)\s+(.*)$/gm)].filter(([, , command = ""]) => command.startsWith(program));
  return found.map(([, pid]) => Number(pid));
}

describe("a health check", () => {
  test("goes from starting to healthy to unhealthy and back, and ps shows it", async () => {
    await using _one = await checked("flips", "test -e /ok", "--health-interval", "300ms");
    expect(await psStatus("flips")).toMatch(/^Up .* \(health: starting\)$/);
    expect((await cli("ps", "-q", "--filter", "health=starting")).stdout).not.toBe("");
    await cli("exec", "flips", "touch", "/ok");
    await isHealth("flips", "healthy");
    expect(await psStatus("flips")).toMatch(/^Up .* \(healthy\)$/);
    await cli("exec", "flips", "rm", "/ok");
    await isHealth("flips", "unhealthy");
    expect(await psStatus("flips")).toMatch(/^Up .* \(unhealthy\)$/);
    expect((await cli("ps", "--filter", "health=unhealthy", "--format", "{{.Names}}")).stdout).toBe("flips\n");
    await cli("exec", "flips", "touch", "/ok");
    await isHealth("flips", "healthy");
    const events = await actions("flips");
    const statuses = events.filter((action) => action.startsWith("health_status"));
    expect(statuses).toEqual(["health_status: healthy", "health_status: unhealthy", "health_status: healthy"]);
    expect(events.join("\n")).toContain("exec_create: /bin/sh -c test -e /ok\nexec_start: /bin/sh -c test -e /ok\nexec_die\n");
  }, 30_000);

  test("H6: only the last five results are kept, and 4 KiB of output of each", async () => {
    await using _one = await checked("chatty", "yes | head -c 9000; echo end >&2; exit 3");
    await until(async () => (await log("chatty")).length === 5);
    await Bun.sleep(400);
    const results = await log("chatty");
    expect(results.length).toBe(5);
    for (const { ExitCode, Output, Start, End } of results) {
      expect({ ExitCode, length: Output.length, end: Output.slice(-5) }).toEqual({ ExitCode: 3, length: 4099, end: "y\n..." });
      expect(Start < End).toBe(true);
    }
    expect((await read("chatty", "{{json .}}")).length).toBeLessThan(40_000);
  }, 30_000);

  test("H6: one that hangs is killed with what it has started, and counts as failed", async () => {
    await using _one = await checked("hangs", "echo begin; (sleep 1234); true", "--health-timeout", "300ms");
    await isHealth("hangs", "unhealthy");
    const [first] = await log("hangs");
    expect(first).toMatchObject({ ExitCode: -1, Output: "Health check exceeded timeout (300ms): begin\n" });
    for (let round = 0; round < 5; round++) {
      expect((await processes("hangs", "sleep 1234")).length).toBeLessThanOrEqual(1); // that of the check of this moment
      await Bun.sleep(300);
    }
  }, 30_000);

  test("one that cannot be run fails with the reason", async () => {
    const body = { Image: busybox, Cmd: ["sleep", "1000"], Healthcheck: { Test: ["CMD", "no-such-program"], Interval: 1e8, Retries: 1 } };
    await daemon.request("POST", "/containers/create?name=nothing", body);
    await cli("start", "nothing");
    await isHealth("nothing", "unhealthy");
    const [first] = await log("nothing");
    expect(first?.ExitCode).toBe(-1);
    expect(first?.Output).toContain(`exec: "no-such-program": executable file not found in $PATH`);
    await cli("rm", "-f", "nothing");
  }, 30_000);

  test("one without a program fails, and the daemon lives", async () => {
    const body = { Image: busybox, Cmd: ["sleep", "1000"], Healthcheck: { Test: ["CMD"], Interval: 1e8, Retries: 1 } };
    await daemon.request("POST", "/containers/create?name=empty", body);
    await cli("start", "empty");
    await isHealth("empty", "unhealthy");
    await cli("rm", "-f", "empty");
  }, 30_000);

  test("rests while the container is paused, and goes on afterwards", async () => {
    await using _one = await checked("rests", "true");
    await isHealth("rests", "healthy");
    await cli("pause", "rests");
    expect(await psStatus("rests")).toMatch(/^Up .* \(Paused\)$/);
    const before = (await log("rests")).at(-1)?.Start;
    await Bun.sleep(500);
    expect((await log("rests")).at(-1)?.Start).toBe(before);
    await cli("unpause", "rests");
    await until(async () => (await log("rests")).at(-1)?.Start !== before);
    expect(await health("rests")).toBe("healthy");
  }, 30_000);

  test("begins anew with each start, and shows the last state when stopped", async () => {
    await using _one = await checked("again", "test -e /ok", "--health-retries", "1");
    await isHealth("again", "unhealthy");
    await cli("stop", "-t", "0", "again");
    expect(await health("again")).toBe("unhealthy");
    expect(await psStatus("again")).toMatch(/^Exited/);
    await cli("start", "again");
    expect(["starting", "unhealthy"]).toContain(await health("again"));
    await cli("exec", "again", "touch", "/ok");
    await isHealth("again", "healthy");
    expect((await log("again")).some(({ ExitCode }) => ExitCode !== 0)).toBe(true);
  }, 30_000);

  test("failures in the start period do not count", async () => {
    await using _one = await checked("young", "false", "--health-start-period", "1500ms", "--health-start-interval", "100ms");
    await until(async () => (await log("young")).length >= 3);
    expect(await read("young", "{{.State.Health.Status}} {{.State.Health.FailingStreak}}")).toBe("starting 0");
    await isHealth("young", "unhealthy");
  }, 30_000);

  test("F8: goes on by itself after a restart of the daemon, with its state", async () => {
    await using _one = await checked("survives", "test -e /ok");
    await cli("exec", "survives", "touch", "/ok");
    await isHealth("survives", "healthy");
    await daemon.kill();
    await daemon.start();
    expect(await health("survives")).toBe("healthy");
    await cli("exec", "survives", "rm", "/ok");
    await isHealth("survives", "unhealthy");
    await daemon.stop();
    await daemon.start();
    expect(await health("survives")).toBe("unhealthy");
    // The end of the daemon has written down what a kill would have lost.
    expect((await log("survives")).filter(({ ExitCode }) => ExitCode === 1).length).toBeGreaterThanOrEqual(2);
  }, 60_000);

  test("--no-healthcheck and containers without one show nothing", async () => {
    expect((await cli("run", "-d", "--name", "plain", "--no-healthcheck", busybox, "sleep", "1000")).code).toBe(0);
    expect(await read("plain", "{{json .State.Health}}")).toBe("null");
    expect((await cli("ps", "--filter", "health=none", "--format", "{{.Names}}")).stdout).toContain("plain\n");
    await cli("rm", "-f", "plain");
  }, 30_000);

  test("leaves nothing behind: descriptors, processes, folders", async () => {
    await using _one = await checked("tidy", "sleep 4321 & echo x", "--health-interval", "30ms");
    const descriptors = () => readFileSync(`/proc/${daemon.pid}/status`, "utf8").match(/FDSize:\s+(\d+)/)?.[1];
    await until(async () => (await log("tidy")).length === 5);
    const before = descriptors();
    await Bun.sleep(3000);
    expect(descriptors()).toBe(before);
  }, 30_000);
});

test("F8: a check that a killed daemon has left does not stay", async () => {
  await using _one = await checked("left", "sleep 5555; true", "--health-timeout", "1m");
  await until(async () => (await processes("left", "sleep 5555")).length === 1);
  const [before = 0] = await processes("left", "sleep 5555");
  await daemon.kill();
  await daemon.start();
  await until(async () => !(await processes("left", "sleep 5555")).includes(before));
}, 30_000);

describe("RUN-34: on-unhealthy", () => {
  test("a container that turns unhealthy is started again, N times in a row", async () => {
    await using _one = await checked("heals", "test -e /ok", "--restart", "on-unhealthy:2", "--stop-timeout", "0", "--health-retries", "1");
    expect(await read("heals", "{{json .HostConfig.RestartPolicy}}")).toBe(`{"Name":"on-unhealthy","MaximumRetryCount":2}`);
    const first = await read("heals", "{{.State.StartedAt}}");
    await until(async () => (await read("heals", "{{.RestartCount}} {{.State.Health.Status}}")) === "2 unhealthy");
    expect(await read("heals", "{{.State.StartedAt}}")).not.toBe(first);
    await Bun.sleep(500);
    expect(await read("heals", "{{.RestartCount}} {{.State.Status}} {{.State.Health.Status}}")).toBe("2 running unhealthy");
    // Healthy in between: the row is over.
    await cli("exec", "heals", "touch", "/ok");
    await isHealth("heals", "healthy");
    await cli("exec", "heals", "rm", "/ok");
    await until(async () => Number(await read("heals", "{{.RestartCount}}")) === 3);
  }, 60_000);

  test("does not start again what was stopped, or has ended by itself", async () => {
    await using _one = await checked("stopped", "true", "--restart", "on-unhealthy");
    await cli("stop", "-t", "0", "stopped");
    await cli("run", "-d", "--name", "ended", "--restart", "on-unhealthy", busybox, "false");
    await Bun.sleep(500);
    expect(await read("stopped", "{{.State.Status}} {{.RestartCount}}")).toBe("exited 0");
    expect(await read("ended", "{{.State.Status}} {{.RestartCount}}")).toBe("exited 0");
    await cli("rm", "ended");
  }, 30_000);

  test("a kill of the daemon in the middle of it loses no container", async () => {
    await using _one = await checked("crossed", "test -e /ok", "--restart", "on-unhealthy", "--stop-timeout", "1");
    await until(async () => (await read("crossed", "{{.State.Health.Status}}")) === "unhealthy");
    await daemon.kill();
    await Bun.sleep(1500);
    await daemon.start();
    await until(async () => (await read("crossed", "{{.State.Status}}")) === "running");
  }, 60_000);
});
