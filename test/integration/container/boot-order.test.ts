import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { endClean } from "../../support/audit.ts";
import { startDaemon, type TestDaemon } from "../../support/daemon.ts";
import { docker } from "../../support/docker.ts";
import { busybox, loadBusybox } from "../../support/images.ts";
import { until } from "../../support/until.ts";

let daemon: TestDaemon;
const cli = (...args: string[]) => docker(daemon.host, ...args);
const read = async (name: string, format: string) => (await cli("inspect", name, "--format", format)).stdout.trim();
const startedAt = async (name: string) => Date.parse(await read(name, "{{.State.StartedAt}}"));
const isRunning = (name: string) => until(async () => (await read(name, "{{.State.Running}}")) === "true", 30_000);

beforeAll(async () => {
  daemon = await startDaemon({ args: ["--live-restore=false"] });
  await loadBusybox(daemon);
});
afterAll(async () => {
  await endClean(daemon);
});

/** A service of a project, labelled as compose v2 does it. */
async function service(project: string, name: string, dependsOn: string, flags: readonly string[], ...command: string[]): Promise<void> {
  const labels = { project, service: name, depends_on: dependsOn, oneoff: "False" };
  const labelled = Object.entries(labels).flatMap(([key, value]) => ["--label", `com.docker.compose.${key}=${value}`]);
  const all = ["run", "-d", "--name", `${project}-${name}`, ...labelled, ...flags, busybox, ...command];
  const { code, stderr } = await cli(...all);
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
}

const always = ["--restart", "always", "--stop-timeout", "1"];

describe("boot order", () => {
  test("F7: what is started with the daemon waits for what it depends on", async () => {
    const slow = ["--health-cmd", "test -e /tmp/ready", "--health-interval", "100ms", "--health-retries", "100"];
    // Ready a second after each start.
    await service("shop", "db", "", [...always, ...slow, "--tmpfs", "/tmp"], "sh", "-c", "sleep 1; touch /tmp/ready; exec sleep 1000");
    await service("shop", "web", "db:service_healthy:false,gone:service_started:false", always, "sleep", "1000");
    await service("shop", "proxy", "web:service_started:true", always, "sleep", "1000");
    await service("shop", "circle", "circle:service_healthy:true,loop:service_started:true", always, "sleep", "1000");
    await service("shop", "loop", "circle:service_started:true", always, "sleep", "1000");
    await daemon.stop();
    await daemon.start();
    for (const name of ["db", "web", "proxy", "circle", "loop"]) await isRunning(`shop-${name}`);
    expect((await startedAt("shop-web")) - (await startedAt("shop-db"))).toBeGreaterThan(900);
    expect(await startedAt("shop-proxy")).toBeGreaterThanOrEqual(await startedAt("shop-web"));
    expect(await startedAt("shop-circle")).toBeLessThan(await startedAt("shop-web"));
    await cli("rm", "-f", ...["db", "web", "proxy", "circle", "loop"].map((name) => `shop-${name}`));
  }, 90_000);

  test("a shutdown stops dependents first, and gives each its time", async () => {
    const polite = "trap 'sleep 0.5; exit 0' TERM; while :; do sleep 0.1; done";
    await service("end", "db", "", ["--restart", "unless-stopped"], "sh", "-c", polite);
    await service("end", "web", "db:service_started:true", ["--restart", "unless-stopped"], "sh", "-c", polite);
    await service("end", "deaf", "", [...always], "sleep", "1000");
    await daemon.stop();
    await daemon.start();
    const past = await daemon.request("GET", `/events?since=1&until=${(Date.now() / 1000 + 1).toFixed(3)}&filters={"event":["die"]}`);
    const ended = past.text
      .split("\n")
      .filter(Boolean)
      .map((line) => JSON.parse(line) as { Actor: { Attributes: { name: string; exitCode: string } }; timeNano: number })
      .filter(({ Actor }) => Actor.Attributes.name.startsWith("end-"));
    const [deaf, web, db] = ["deaf", "web", "db"].map((name) => ended.findLast(({ Actor }) => Actor.Attributes.name === `end-${name}`));
    expect([web, db, deaf].map((one) => one?.Actor.Attributes.exitCode)).toEqual(["0", "0", "137"]);
    expect(((db?.timeNano ?? 0) - (web?.timeNano ?? 0)) / 1e6).toBeGreaterThan(450);
    // Nobody has asked for their end: they are there again.
    for (const name of ["db", "web", "deaf"]) await isRunning(`end-${name}`);
    await cli("rm", "-f", "end-db", "end-web", "end-deaf");
  }, 90_000);

  test("on-unhealthy comes back with the daemon that has stopped it", async () => {
    await cli("run", "-d", "--name", "watched", "--restart", "on-unhealthy", "--stop-timeout", "0", busybox, "sleep", "1000");
    await daemon.stop();
    await daemon.start();
    await isRunning("watched");
    await cli("rm", "-f", "watched");
  }, 60_000);
});
