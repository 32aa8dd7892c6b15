import { afterAll, beforeAll, expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
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

const limits = ["-m", "16m", "--memory-swap", "16m"];
const eat = 'x=$(head -c 60000000 /dev/zero | tr "\\0" a); echo $x | wc -c';
const startedSeconds = (Date.now() / 1000 - 60).toFixed(0);

/** What has happened to a container, in a few words; what the kernel tells several times in a row counts once. */
async function told(name: string): Promise<string[]> {
  const until = (Date.now() / 1000 + 0.05).toFixed(3);
  const filters = ["--filter", `container=${name}`, "--format", "{{.Action}}"];
  const { stdout } = await cli("events", "--since", startedSeconds, "--until", until, ...filters);
  return stdout
    .split("\n")
    .filter((action) => action !== "" && !action.startsWith("exec_"))
    .filter((action, index, all) => action !== "oom" || all[index - 1] !== "oom");
}

const isMarked = async (name: string) => (await cli("inspect", name, "--format", "{{.State.Status}} {{.State.OOMKilled}}")).stdout.trim();
const oomCount = async (name: string) => {
  const filters = ["--filter", `container=${name}`, "--filter", "event=oom"];
  const until = (Date.now() / 1000 + 0.05).toFixed(3);
  return (await cli("events", "--since", startedSeconds, "--until", until, ...filters)).stdout.split("\n").length - 1;
};

test("H4: a kill for want of memory that the container survives is told at once, and so is the next one", async () => {
  await cli("run", "-d", "--name", "survivor", ...limits, busybox, "sleep", "1000");
  expect(await isMarked("survivor")).toBe("running false");
  expect((await cli("exec", "survivor", "sh", "-c", eat)).stdout).not.toContain("60000000");
  await until(async () => (await isMarked("survivor")) === "running true", 10_000);
  expect(await told("survivor")).toEqual(["create", "start", "oom"]);
  await Bun.sleep(300);
  const first = await oomCount("survivor");
  await cli("exec", "survivor", "sh", "-c", eat);
  await until(async () => (await oomCount("survivor")) > first, 10_000);
  await cli("kill", "survivor");
  expect(await isMarked("survivor")).toBe("exited true");
  await cli("start", "survivor");
  expect(await isMarked("survivor")).toBe("running false");
  await cli("rm", "-f", "survivor");
}, 120_000);

test("H4: one that happens before anybody looks, and ends the container, stands before its end", async () => {
  const { code } = await cli("run", "--name", "hasty", ...limits, busybox, "sh", "-c", eat);
  expect(await isMarked("hasty")).toBe("exited true");
  expect(code).toBe(137);
  expect(await told("hasty")).toEqual(["create", "attach", "start", "oom", "die"]);
  await cli("rm", "hasty");
}, 120_000);

test("one while the daemon is away is told by the next; one that was told is not told again", async () => {
  await cli("run", "-d", "--name", "before", ...limits, busybox, "sleep", "1000");
  await cli("exec", "before", "sh", "-c", eat);
  await until(async () => (await isMarked("before")) === "running true", 10_000);
  const toldBefore = await oomCount("before");
  const script = `sleep 1.5; sh -c '${eat}'; sleep 1000`;
  await cli("run", "-d", "--name", "meanwhile", ...limits, busybox, "sh", "-c", script);
  await Bun.sleep(700); // events are written a moment after they happened
  await daemon.kill();
  await Bun.sleep(2500);
  await daemon.start();
  let seen = "";
  await until(async () => (seen = await isMarked("meanwhile")) !== "running false", 20_000).catch(() => undefined);
  expect([seen, (await cli("logs", "meanwhile")).stderr, daemon.log().includes("could not be restored")]).toEqual([
    "running true",
    expect.any(String),
    false,
  ]);
  expect(await told("meanwhile")).toContain("oom");
  expect(await isMarked("before")).toBe("running true");
  expect(await oomCount("before")).toBe(toldBefore);
  await cli("exec", "before", "sh", "-c", eat);
  await until(async () => (await oomCount("before")) > toldBefore, 10_000);
  await cli("rm", "-f", "before", "meanwhile");
}, 120_000);

/** Watches of folders that the daemon's process has. */
function watches(): number {
  const folder = `/proc/${daemon.pid}/fdinfo`;
  const texts = readdirSync(folder).map((name) => {
    try {
      return readFileSync(join(folder, name), "utf8");
    } catch {
      return ""; // closed meanwhile
    }
  });
  return texts.reduce((count, text) => count + text.split("inotify wd:").length - 1, 0);
}

test("a watch goes with its container", async () => {
  const before = watches();
  for (let index = 0; index < 3; index++) await cli("run", "-d", "--name", `watched${index}`, busybox, "sleep", "1000");
  await until(() => watches() >= before + 3, 2000);
  for (let index = 0; index < 3; index++) await cli("kill", `watched${index}`);
  await until(() => watches() === before, 3000);
  for (let index = 0; index < 3; index++) await cli("rm", `watched${index}`);
}, 120_000);
