// Runs where criu works: not with every kernel. docs/checkpoints.md tells of a second one on which it does.
import { afterAll, beforeAll, expect } from "bun:test";
import { existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { endClean, expectClean } from "../../support/audit.ts";
import { startDaemon, type TestDaemon } from "../../support/daemon.ts";
import { docker, runWithInput } from "../../support/docker.ts";
import { lackOf, needs } from "../../support/host-has.ts";
import { busybox, loadBusybox } from "../../support/images.ts";
import { patience, until } from "../../support/until.ts";

let daemon: TestDaemon;
let elsewhere: string;
const cli = (...args: string[]) => docker(daemon.host, ...args);
const output = async (...args: string[]): Promise<string> => (await cli(...args)).stdout.trim();
const state = (name: string) => output("inspect", name, "--format", "{{.State.Status}} {{.State.ExitCode}}");
const inspectId = (name: string) => output("inspect", name, "--format", "{{.Id}}");
const limit = 120_000 * patience;

/** Counts in memory alone: only what goes on from a checkpoint knows how far it was. */
const counts = ["sh", "-c", "i=0; while [ ! -e /end ]; do echo $i; i=$((i+1)); sleep 0.2; done; exit 7"];
const numbers = async (name: string): Promise<number[]> => (await output("logs", name)).split("\n").filter(Boolean).map(Number);
const countUp = async (name: string): Promise<void> => {
  const { length } = await numbers(name);
  await until(async () => (await numbers(name)).length > length + 2, 30_000);
};

async function done(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await cli(...args);
  expect({ args, code, stderr }).toEqual({ args, code: 0, stderr: "" });
  return stdout.trim();
}

/** Each number once and in order: nothing was lost, nothing came twice, nothing began anew. */
async function expectUnbroken(name: string): Promise<void> {
  const all = await numbers(name);
  expect(all).toEqual(all.map((_, index) => index));
}

/** Kills the daemon when a file of the container's run is there, and some time has passed. */
async function killAt(id: string, { file, delay }: { readonly file?: string; readonly delay: number }): Promise<void> {
  const run = join(daemon.execRoot, "bundles", id.slice(0, 16));
  // What ends between two looks has been too fast for this moment.
  for (const end = performance.now() + 20_000 * patience; file !== undefined && performance.now() < end;) {
    if (existsSync(join(run, file))) break;
    await Bun.sleep(1);
  }
  await Bun.sleep(delay * patience);
  await daemon.kill();
}

beforeAll(async () => {
  elsewhere = mkdtempSync(join(tmpdir(), "gantry-checkpoints-"));
  if (lackOf("criu") !== undefined) return;
  daemon = await startDaemon({ args: ["--experimental"] });
  await loadBusybox(daemon);
}, limit);
afterAll(async () => {
  rmSync(elsewhere, { recursive: true, force: true });
  if (lackOf("criu") === undefined) await endClean(daemon);
}, limit);

needs("criu")(
  "a container goes on from its checkpoint where it was, with its output, its log and its exit code",
  async () => {
    expect(await output("info", "--format", "{{.DefaultRuntime}}")).toBe("runc");
    await done("run", "-d", "--name", "counts", busybox, ...counts);
    await countUp("counts");
    expect(await done("checkpoint", "create", "counts", "one")).toBe("one");
    expect(await state("counts")).toBe("exited 137");
    expect((await cli("checkpoint", "ls", "counts")).stdout).toBe("CHECKPOINT NAME\none\n");
    const again = await cli("checkpoint", "create", "counts", "one");
    expect(again).toMatchObject({ code: 1, stderr: expect.stringContaining("is not running") });
    await expectClean(daemon);

    const attached = cli("start", "--checkpoint", "one", "-a", "counts");
    await countUp("counts");
    await expectUnbroken("counts");
    expect(await done("exec", "counts", "touch", "/end")).toBe("");
    const { code, stdout } = await attached;
    expect(code).toBe(7);
    expect(Number(stdout.split("\n")[0])).toBeGreaterThan(2);
    expect(await state("counts")).toBe("exited 7");
    await expectUnbroken("counts");
    await done("rm", "counts");
  },
  limit,
);

needs("criu")(
  "with --leave-running it runs on, and a later start goes back to the checkpoint",
  async () => {
    await done("run", "-d", "--name", "leaves", "--runtime", "runc", busybox, ...counts);
    await countUp("leaves");
    await done("checkpoint", "create", "--leave-running", "--checkpoint-dir", elsewhere, "leaves", "far");
    const { length } = await numbers("leaves");
    await countUp("leaves");
    await expectUnbroken("leaves");
    const taken = await cli("checkpoint", "create", "--checkpoint-dir", elsewhere, "leaves", "far");
    expect(taken.stderr).toContain("checkpoint with name far already exists for container leaves");
    expect((await cli("start", "--checkpoint", "far", "--checkpoint-dir", elsewhere, "leaves")).code).toBe(0); // it runs
    await done("stop", "-t", "0", "leaves");
    const before = (await numbers("leaves")).length;
    await done("start", "--checkpoint", "far", "--checkpoint-dir", elsewhere, "leaves");
    await until(async () => (await numbers("leaves")).length > before, 30_000);
    expect((await numbers("leaves"))[before]).toBeLessThanOrEqual(length);
    await done("rm", "-f", "leaves");
    expect(readdirSync(elsewhere)).toHaveLength(1);
  },
  limit,
);

needs("criu")(
  "a container with a terminal, and a paused one, are written down and go on",
  async () => {
    await done("run", "-dit", "--name", "terminal", busybox, ...counts);
    await countUp("terminal");
    await done("pause", "terminal");
    await done("checkpoint", "create", "--leave-running", "terminal", "one");
    expect(await state("terminal")).toBe("paused 0");
    await done("unpause", "terminal");
    await countUp("terminal");
    await done("checkpoint", "create", "terminal", "two");
    await done("start", "--checkpoint", "two", "terminal");
    await countUp("terminal");
    await expectUnbroken("terminal");
    await done("rm", "-f", "terminal");
  },
  limit,
);

needs("criu")(
  "a container that waits for input goes on waiting, and gets it from the client of its restore",
  async () => {
    await done("run", "-di", "--name", "waits", busybox, "sh", "-c", "x=before; read line; echo $x $line; exit 5");
    await done("checkpoint", "create", "waits", "one");
    expect(await runWithInput(daemon.host, "after\n", "start", "--checkpoint", "one", "-ai", "waits")).toEqual({
      code: 5,
      stdout: "before after\n",
      stderr: "",
    });
    await done("rm", "waits");
  },
  limit,
);

needs("criu")(
  "what was restored is checked, restarted by its policy, paused, limited and stopped like any other",
  async () => {
    const health = ["--health-cmd", "test -e /bin/sh", "--health-interval", "1s"];
    await done("run", "-d", "--name", "cared", "--restart", "on-failure:3", "-m", "64m", ...health, busybox, ...counts);
    await countUp("cared");
    await done("checkpoint", "create", "cared", "one");
    expect(await state("cared")).toBe("exited 137"); // somebody has ended it: its policy does not start it again
    await done("start", "--checkpoint", "one", "cared");
    await until(async () => (await output("inspect", "cared", "--format", "{{.State.Health.Status}}")) === "healthy", 30_000);
    await done("pause", "cared");
    await done("unpause", "cared");
    expect(await output("stats", "--no-stream", "--format", "{{.MemUsage}}", "cared")).toContain("/ 64MiB");
    await done("exec", "cared", "touch", "/end");
    await until(async () => Number(await output("inspect", "cared", "--format", "{{.RestartCount}}")) > 0, 30_000);
    await done("rm", "-f", "cared");
  },
  limit,
);

needs("criu", "nftables")(
  "what was restored has its network, its published port, its files and its volumes again",
  async () => {
    await done("network", "create", "wires");
    const serve = "echo kept >/data/file; echo memory >/dev/shm/file; exec httpd -f -p 80 -h /data";
    const options = ["--network", "wires", "-p", "127.0.0.1:18971:80", "-v", "kept:/data", "--hostname", "served"];
    await done("run", "-d", "--name", "served", ...options, busybox, "sh", "-c", serve);
    const answer = (): Promise<string> =>
      fetch("http://127.0.0.1:18971/file", { keepalive: false, signal: AbortSignal.timeout(5000) }).then(
        (response) => response.text(),
        () => "",
      );
    await until(async () => (await answer()) === "kept\n", 30_000);
    await done("checkpoint", "create", "served", "one");
    expect(await answer()).toBe("");
    await done("start", "--checkpoint", "one", "served");
    await until(async () => (await answer()) === "kept\n", 30_000);
    expect(await done("exec", "served", "cat", "/dev/shm/file")).toBe("memory");
    expect(await done("exec", "served", "hostname")).toBe("served");
    expect(await done("exec", "served", "cat", "/etc/hosts")).toContain("served");
    expect(await done("run", "--rm", "--network", "wires", busybox, "wget", "-qO-", "http://served/file")).toBe("kept");
    await done("rm", "-f", "served");
    await done("network", "rm", "wires");
    await done("volume", "rm", "kept");
  },
  limit,
);

needs("criu")(
  "F7: a daemon that is killed while it restores leaves a container that runs on or can be restored, and every volume whole",
  async () => {
    await done("run", "-d", "--name", "torn", "-v", "whole:/data", busybox, "sh", "-c", `echo kept >/data/file; ${counts[2]}`);
    await countUp("torn");
    await done("checkpoint", "create", "torn", "one");
    const id = await inspectId("torn");
    for (const moment of [
      { delay: 0 },
      { file: "restore.log", delay: 0 },
      { file: "restore.log", delay: 60 },
      { file: "restore.log", delay: 200 },
    ]) {
      const started = daemon.request("POST", `/containers/${id}/start?checkpoint=one`).catch(() => undefined);
      await killAt(id, moment);
      await started;
      await daemon.start();
      const [status] = (await state("torn")).split(" ");
      expect(["running", "exited"]).toContain(status ?? "");
      expect(existsSync(join(daemon.dataRoot, "containers", id, "checkpoints", "one", "inventory.img"))).toBe(true);
      await expectClean(daemon);
      if (status === "running") await done("kill", "torn");
    }
    await done("start", "--checkpoint", "one", "torn");
    expect(await done("exec", "torn", "cat", "/data/file")).toBe("kept");
    await countUp("torn");
    await done("rm", "-f", "torn");
    await done("volume", "rm", "whole");
  },
  limit,
);

needs("criu")(
  "F7: a daemon that is killed while it writes a checkpoint leaves a container that runs, or one with its checkpoint",
  async () => {
    await done("run", "-d", "--name", "written", busybox, ...counts);
    await countUp("written");
    const id = await inspectId("written");
    const log = "checkpoint/dump.log";
    const moments = [
      { delay: 0 },
      { file: "checkpoint", delay: 0 },
      { file: log, delay: 0 },
      { file: log, delay: 60 },
      { file: log, delay: 200 },
    ];
    for (const [index, moment] of moments.entries()) {
      const name = `try${index}`;
      const created = daemon.request("POST", `/containers/${id}/checkpoints`, { CheckpointID: name, Exit: true }).catch(() => undefined);
      await killAt(id, moment);
      await created;
      await daemon.start();
      await until(() => !existsSync(join(daemon.dataRoot, "containers", id, "checkpoints", `.${name}.unfinished`)), 30_000);
      if ((await state("written")).startsWith("running")) await countUp("written");
      else await done("start", "--checkpoint", name, "written");
      await countUp("written");
      await expectUnbroken("written");
      await expectClean(daemon);
    }
    await done("rm", "-f", "written");
  },
  limit * 2,
);
