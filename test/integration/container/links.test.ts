import { afterAll, beforeAll, expect, test } from "bun:test";
import { endClean } from "../../support/audit.ts";
import { startDaemon, type TestDaemon } from "../../support/daemon.ts";
import { docker, type Finished } from "../../support/docker.ts";
import { busybox, loadBusybox } from "../../support/images.ts";
import { until } from "../../support/until.ts";

let daemon: TestDaemon;
const cli = (...args: string[]): Promise<Finished> => docker(daemon.host, ...args);
const sleeper = (...args: string[]): Promise<Finished> => cli("run", "-d", "--stop-signal", "KILL", ...args, busybox, "sleep", "1000");
const addressOf = async (name: string): Promise<string> =>
  (await cli("inspect", "--format", "{{.NetworkSettings.Networks.bridge.IPAddress}}", name)).stdout.trim();

beforeAll(async () => {
  daemon = await startDaemon();
  await loadBusybox(daemon);
});
afterAll(async () => {
  await endClean(daemon);
});

test("RUN-23: a link gives a name and variables, and follows the other to its new address, also over a kill of the daemon", async () => {
  await sleeper("--name", "app1", "--expose", "80");
  await sleeper("--name", "web", "--link", "app1:app1");
  expect((await cli("exec", "web", "sh", "-c", "echo $APP1_PORT; echo $APP1_NAME")).stdout).toBe(
    `tcp://${await addressOf("app1")}:80\n/web/app1\n`,
  );
  const before = await addressOf("app1");
  await daemon.kill();
  await daemon.start();
  await cli("stop", "app1");
  await sleeper("--name", "taker");
  await cli("start", "app1");
  const after = await addressOf("app1");
  expect(after).not.toBe(before);
  expect((await cli("exec", "web", "grep", "app1", "/etc/hosts")).stdout).toStartWith(`${after}\tapp1 `);
  expect((await cli("exec", "web", "ping", "-c", "1", "-w", "3", "app1")).code).toBe(0);
  await cli("rm", "-f", "web", "app1", "taker");
}, 60_000);

test("a container that starts with the daemon finds the one it is linked to started", async () => {
  await sleeper("--name", "zed", "--restart", "always", "--expose", "1");
  await sleeper("--name", "abe", "--restart", "always", "--link", "zed:z");
  const { stdout } = await cli("inspect", "--format", "{{.State.Pid}}", "zed", "abe");
  await daemon.kill();
  for (const pid of stdout.trim().split("\n")) process.kill(Number(pid), "SIGKILL");
  await daemon.start();
  await until(async () => (await cli("exec", "abe", "true")).code === 0, 10_000);
  expect((await cli("exec", "abe", "sh", "-c", "echo $Z_PORT")).stdout).toBe(`tcp://${await addressOf("zed")}:1\n`);
  await cli("rm", "-f", "abe", "zed");
}, 60_000);

test("who is linked must run, and is known by the link's name until that is removed", async () => {
  await cli("create", "--name", "db", busybox, "true");
  await cli("create", "--name", "front", "--link", "db:store", busybox, "true");
  expect((await cli("start", "front")).stderr).toContain("Cannot link to a non running container: /db AS /front/store");
  expect((await cli("ps", "-a", "--no-trunc", "--filter", "name=db", "--format", "{{.Names}}")).stdout).toBe("db,front/store\n");
  expect((await cli("inspect", "--format", "{{.Name}}", "front/store")).stdout).toBe("/db\n");
  expect((await cli("rm", "--link", "front")).stderr).toContain("cannot remove the default link name");
  expect((await cli("rm", "--link", "/front/store")).code).toBe(0);
  expect((await cli("inspect", "--format", "{{.HostConfig.Links}}", "front")).stdout).toBe("[]\n");
  expect((await cli("start", "front")).code).toBe(0);
  await cli("rm", "-f", "front", "db");
});
