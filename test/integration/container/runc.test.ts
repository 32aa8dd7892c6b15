import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { endClean } from "../../support/audit.ts";
import { startDaemon, type TestDaemon } from "../../support/daemon.ts";
import { docker } from "../../support/docker.ts";
import { busybox, loadBusybox } from "../../support/images.ts";
import { until } from "../../support/until.ts";

let daemon: TestDaemon;
const cli = (...args: string[]) => docker(daemon.host, ...args);
const output = async (...args: string[]): Promise<string> => (await cli(...args)).stdout.trim();
const state = (name: string) => output("inspect", name, "--format", "{{.State.Status}} {{.State.ExitCode}} {{.State.OOMKilled}}");

// Where crun refuses the cgroups of the host (a hybrid host with controllers on v2), runc runs all containers.
describe.skipIf(Bun.which("runc") === null)("a daemon whose runtime is runc", () => {
  beforeAll(async () => {
    daemon = await startDaemon({ args: ["--default-runtime", "runc"] });
    await loadBusybox(daemon);
  });
  afterAll(async () => {
    await endClean(daemon);
  });

  test("runs programs, with their input, output and exit codes", async () => {
    expect(await output("info", "--format", "{{.DefaultRuntime}}")).toBe("runc");
    expect(await cli("run", "--rm", busybox, "sh", "-c", "echo out; echo err >&2; exit 7")).toMatchObject({
      code: 7,
      stdout: "out\n",
      stderr: "err\n",
    });
    expect((await cli("run", "--rm", busybox, "no-such-program")).code).toBe(127);
    expect((await cli("run", "--rm", "--network", "none", busybox, "ip", "-o", "link")).stdout).toMatch(/^1: lo:[^\n]*\n$/);
  }, 30_000);

  test("execs, lists processes, pauses, limits and stops", async () => {
    await cli("run", "-d", "--name", "works", "-m", "64m", busybox, "sleep", "1000");
    expect((await cli("exec", "works", "sh", "-c", "echo $((6*7)); exit 3")).code).toBe(3);
    expect(await output("top", "works")).toContain("sleep 1000");
    expect(await output("stats", "--no-stream", "--format", "{{.MemUsage}}", "works")).toContain("/ 64MiB");
    await cli("pause", "works");
    expect(await state("works")).toBe("paused 0 false");
    await cli("unpause", "works");
    expect((await cli("update", "--pids-limit", "77", "works")).code).toBe(0);
    expect(await output("inspect", "works", "--format", "{{.HostConfig.PidsLimit}}")).toBe("77");
    await cli("stop", "-t", "0", "works");
    expect(await state("works")).toBe("exited 137 false");
    expect((await cli("start", "works")).code).toBe(0);
    expect((await cli("rm", "-f", "works")).code).toBe(0);
  }, 30_000);

  test("F7, F8: takes its containers up after it was killed, and knows the end of those that ended meanwhile", async () => {
    await cli("run", "-d", "--name", "stays", busybox, "sleep", "1000");
    await cli("run", "-d", "--name", "ends", busybox, "sh", "-c", "sleep 0.7; exit 9");
    await cli("create", "--name", "waits", busybox, "echo", "begun");
    const pid = await output("inspect", "stays", "--format", "{{.State.Pid}}");
    await daemon.kill();
    await Bun.sleep(1000);
    await daemon.start();
    expect(await state("ends")).toBe("exited 9 false");
    expect(await output("inspect", "stays", "--format", "{{.State.Status}} {{.State.Pid}}")).toBe(`running ${pid}`);
    expect(await output("exec", "stays", "echo", "alive")).toBe("alive");
    expect(await output("start", "-a", "waits")).toBe("begun");
    expect((await cli("rm", "-f", "stays", "ends", "waits")).code).toBe(0);
  }, 30_000);

  test("tells a kill for want of memory", async () => {
    await cli("run", "-d", "--name", "eats", "-m", "16m", "--memory-swap", "16m", busybox, "sh", "-c", "x=a; while :; do x=$x$x; done");
    await until(async () => (await state("eats")).startsWith("exited"));
    expect(await state("eats")).toMatch(/^exited \d+ true$/);
    await cli("rm", "eats");
  }, 30_000);
});
