import { afterAll, beforeAll, expect, test } from "bun:test";
import { readdirSync, readFileSync, statSync } from "node:fs";
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
});
afterAll(async () => {
  await endClean(daemon);
});

/** Monitors of this daemon: pid → id of the container. */
function monitors(): Map<number, string> {
  const found = new Map<number, string>();
  for (const name of readdirSync("/proc").filter((entry) => /^\d+$/.test(entry))) {
    try {
      const words = readFileSync(`/proc/${name}/cmdline`, "utf8").split("\0");
      if (words[0]?.endsWith("conmon") && words.some((word) => word.startsWith(daemon.execRoot)))
        found.set(Number(name), words[words.indexOf("-c") + 1] ?? "");
    } catch {
      // it has just ended
    }
  }
  return found;
}

/** True while the configuration of this container has not been given. */
function waits(id: string): boolean {
  return statSync(`${daemon.execRoot}/bundles/${id.slice(0, 16)}/config.json`, { throwIfNoEntry: false })?.isFIFO() === true;
}

/** After a run one monitor waits for the next container. @returns its pid and id */
async function spare(): Promise<[pid: number, id: string]> {
  expect((await cli("run", "--rm", busybox, "true")).code).toBe(0);
  let waiting: [number, string][] = [];
  await until(() => {
    const all = [...monitors()];
    waiting = all.filter(([, id]) => waits(id));
    return all.length === 1 && waiting.length === 1;
  });
  const [only] = waiting;
  if (!only) throw new Error("no monitor waits");
  return only;
}

test("the next container gets the id of the monitor that waits for it", async () => {
  const [, id] = await spare();
  expect((await cli("run", "-d", "--name", "next", busybox, "sleep", "1000")).stdout.trim()).toBe(id);
  await cli("rm", "-f", "next");
});

test("a monitor that has died is replaced without a word", async () => {
  const [pid] = await spare();
  process.kill(pid, "SIGKILL");
  expect(await cli("run", "--rm", busybox, "echo", "works")).toMatchObject({ code: 0, stdout: "works\n", stderr: "" });
});

test("one whose container has been created dies with the wait for the start, which then works all the same", async () => {
  const [pid] = await spare();
  await cli("create", "--name", "late", busybox, "echo", "late");
  await until(() => !monitors().has(pid), 20_000);
  expect((await cli("start", "-a", "late")).stdout).toBe("late\n");
  await cli("rm", "late");
}, 40_000);

test("the removal of a container that was never started leaves nothing of what was made ready", async () => {
  const [pid, id] = await spare();
  expect((await cli("create", "--name", "never", busybox, "true")).stdout.trim()).toBe(id);
  await cli("rm", "never");
  await until(() => !monitors().has(pid) && !readdirSync(`${daemon.dataRoot}/containers`).includes(id));
});

test("F4: it ends by itself when the daemon is killed, and the next daemon removes its folder", async () => {
  const [, id] = await spare();
  await daemon.kill();
  await until(() => monitors().size === 0);
  await daemon.start();
  expect(readdirSync(`${daemon.dataRoot}/containers`)).not.toContain(id);
});

test("F4: a created container survives a kill of the daemon together with what was made ready for it", async () => {
  await spare();
  await cli("create", "--name", "kept", busybox, "echo", "kept");
  await daemon.kill();
  await daemon.start();
  expect((await cli("start", "-a", "kept")).stdout).toBe("kept\n");
  await cli("rm", "kept");
});

test("it ends with the daemon", async () => {
  await spare();
  await daemon.stop();
  expect(monitors().size).toBe(0);
  await daemon.start();
});
