import { afterAll, beforeAll, expect, test } from "bun:test";
import { endClean } from "../../support/audit.ts";
import { startDaemon, type TestDaemon } from "../../support/daemon.ts";
import { docker } from "../../support/docker.ts";
import { busybox, loadBusybox } from "../../support/images.ts";
import { until } from "../../support/until.ts";

let daemon: TestDaemon;
const cli = (...args: string[]) => docker(daemon.host, ...args);

beforeAll(async () => {
  daemon = await startDaemon();
  await loadBusybox(daemon);
}, 30_000);
afterAll(() => endClean(daemon), 30_000);

interface Line {
  readonly Names: readonly string[];
  readonly State: string;
  readonly Status: string;
  readonly Image: string;
  readonly Health?: { readonly Status: string };
}
const list = async (): Promise<readonly Line[]> => (await daemon.request("GET", "/containers/json?all=1")).body as readonly Line[];
const one = async (name: string): Promise<Line | undefined> => (await list()).find(({ Names }) => Names.includes(`/${name}`));

test("RUN-22: a list that was just asked for shows every change at once", async () => {
  await cli("create", "--name", "one", "--network", "none", busybox, "sleep", "1000");
  expect([await one("one"), await one("one")]).toEqual([expect.objectContaining({ Status: "Created" }), await one("one")]);
  await cli("start", "one");
  expect((await one("one"))?.State).toBe("running");
  await cli("pause", "one");
  expect((await one("one"))?.Status).toMatch(/^Up .* \(Paused\)$/);
  await cli("unpause", "one");
  await cli("rename", "one", "two");
  expect([await one("one"), (await one("two"))?.State]).toEqual([undefined, "running"]);
  await cli("tag", busybox, "moved:1");
  await cli("create", "--name", "tagged", "moved:1", "true");
  expect((await one("tagged"))?.Image).toBe("moved:1");
  await cli("rmi", "moved:1");
  expect((await one("tagged"))?.Image).not.toBe("");
  await cli("rm", "tagged");
  expect(await one("tagged")).toBeUndefined();
}, 60_000);

test("time spans go on though nothing changes, and a health check shows though no record is written", async () => {
  const before = (await one("two"))?.Status;
  await until(async () => (await one("two"))?.Status !== before, 5000);
  await cli("rm", "-f", "two");
  const check = ["--health-cmd", "test -e /sick", "--health-interval", "200ms", "--health-retries", "2"];
  await cli("run", "-d", "--name", "checked", "--network", "none", ...check, busybox, "sh", "-c", "touch /sick; sleep 1000");
  await until(async () => (await one("checked"))?.Status.includes("(healthy)") ?? false, 10_000);
  await cli("exec", "checked", "rm", "/sick");
  await until(async () => (await one("checked"))?.Status.includes("(unhealthy)") ?? false, 10_000);
  await cli("rm", "-f", "checked");
}, 60_000);
