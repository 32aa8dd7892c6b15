import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { endClean } from "../../support/audit.ts";
import { startDaemon, type TestDaemon } from "../../support/daemon.ts";
import { docker } from "../../support/docker.ts";
import { needs } from "../../support/host-has.ts";
import { busybox, loadBusybox } from "../../support/images.ts";
import { until } from "../../support/until.ts";

let daemon: TestDaemon;
const cli = (...args: string[]) => docker(daemon.host, ...args);
const state = async (name: string, format = "{{.State.Status}} {{.State.ExitCode}}") =>
  (await cli("inspect", name, "--format", format)).stdout.trim();

beforeAll(async () => {
  daemon = await startDaemon();
  await loadBusybox(daemon);
});
afterAll(async () => {
  await endClean(daemon);
});

async function killed(between?: () => Promise<void>): Promise<void> {
  await daemon.kill();
  await between?.();
  await daemon.start();
}

describe("a daemon that was killed", () => {
  test("F8: finds its containers running, the same processes as before", async () => {
    await cli("run", "-d", "--name", "stays", busybox, "sleep", "1000");
    const pid = await state("stays", "{{.State.Pid}}");
    await killed();
    expect(await state("stays", "{{.State.Status}} {{.State.Pid}}")).toBe(`running ${pid}`);
    expect((await cli("exec", "stays", "echo", "alive")).stdout).toBe("alive\n");
    await cli("rm", "-f", "stays");
  }, 30_000);

  needs("nftables")(
    "F8: finds their published ports as they were",
    async () => {
      await using _one = { [Symbol.asyncDispose]: async () => void (await cli("rm", "-f", "published")) };
      await cli("run", "-d", "--name", "published", "-p", "127.0.0.1:18931:80", busybox, "httpd", "-f", "-h", "/etc");
      await killed();
      expect(await (await fetch("http://127.0.0.1:18931/passwd")).text()).toContain("root:");
    },
    30_000,
  );

  test("F7, F8: knows the true exit code of what ended meanwhile", async () => {
    await cli("run", "-d", "--name", "ended", busybox, "sh", "-c", "sleep 0.5; exit 42");
    await killed(() => Bun.sleep(1200));
    expect(await state("ended")).toBe("exited 42");
    await cli("rm", "ended");
  }, 30_000);

  test("F8: has every line that was printed while it was away", async () => {
    await cli(
      "run",
      "-d",
      "--name",
      "talks",
      busybox,
      "sh",
      "-c",
      "i=0; while [ $i -lt 300 ]; do echo line $i; i=$((i+1)); usleep 5000; done",
    );
    await killed(() => Bun.sleep(700));
    await cli("wait", "talks");
    await until(async () => (await cli("logs", "talks")).stdout.split("\n").length === 301);
    expect((await cli("logs", "talks")).stdout).toBe(Array.from({ length: 300 }, (_, index) => `line ${index}\n`).join(""));
    await cli("rm", "talks");
  }, 30_000);

  test("F7: starts again what is to run always, and not what a user has stopped", async () => {
    await cli("run", "-d", "--name", "always", "--restart", "always", busybox, "sleep", "1000");
    await cli("run", "-d", "--name", "stopped", "--restart", "unless-stopped", busybox, "sleep", "1000");
    await cli("stop", "-t", "0", "stopped");
    const pid = Number(await state("always", "{{.State.Pid}}"));
    await killed(async () => {
      process.kill(pid, "SIGKILL");
      await Bun.sleep(300);
    });
    await until(async () => (await state("always")) === "running 0");
    expect(await state("stopped")).toBe("exited 137");
    await cli("rm", "-f", "always", "stopped");
  }, 30_000);

  test("F9: a monitor that was killed leaves a true state and nothing behind", async () => {
    await cli("run", "-d", "--name", "orphan", busybox, "sleep", "1000");
    const id = await state("orphan", "{{.Id}}");
    const monitor = Bun.spawnSync(["pgrep", "-f", `conmon -c ${id}`])
      .stdout.toString()
      .trim()
      .split("\n")[0];
    process.kill(Number(monitor), "SIGKILL");
    await until(async () => (await state("orphan")) === "exited 137", 20_000);
    expect(await state("orphan", "{{.State.Error}}")).toContain("monitor was killed");
    await cli("rm", "orphan");
  }, 40_000);

  test("F6: everything that was answered is still there", async () => {
    const names = Array.from({ length: 20 }, (_, index) => `durable${index}`);
    await Promise.all(names.map((name) => daemon.request("POST", `/containers/create?name=${name}`, { Image: busybox })));
    await killed();
    for (const name of names) expect(await state(name)).toBe("created 0");
    await cli("rm", ...names);
  }, 40_000);

  test("F10: refuses a second daemon on the same data root", async () => {
    const main = new URL("../../../src/main.ts", import.meta.url).pathname;
    const second = Bun.spawn(
      [process.execPath, main, "daemon", "--data-root", daemon.dataRoot, "--exec-root", `${daemon.execRoot}-2`, "--config-file=/dev/null"],
      { stdout: "pipe", stderr: "pipe" },
    );
    const [code, text] = await Promise.all([second.exited, new Response(second.stderr).text()]);
    expect(code).toBe(1);
    expect(text).toContain("another daemon uses");
    Bun.spawnSync(["rm", "-rf", `${daemon.execRoot}-2`]);
  });

  test("F14: six kills in a row do no harm", async () => {
    await cli("run", "-d", "--name", "tough", busybox, "sleep", "1000");
    for (let round = 0; round < 6; round++) await killed();
    expect(await state("tough")).toBe("running 0");
    await cli("rm", "-f", "tough");
  }, 60_000);
});
