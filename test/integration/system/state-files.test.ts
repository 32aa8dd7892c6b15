import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { startDaemon, type TestDaemon } from "../../support/daemon.ts";
import { docker } from "../../support/docker.ts";
import { busybox, loadBusybox } from "../../support/images.ts";
import { damages, harm, keepFiles, onlyName } from "./damage.ts";

/** Requirement F12, for files that all objects depend on, and for those of one container. */
let daemon: TestDaemon;
let ids: Record<"ended" | "runs", string>;
let bringBack = (): void => {};
const cli = (...args: string[]) => docker(daemon.host, ...args);
const numbers = (last: number): string[] => Array.from({ length: last }, (_, index) => String(index + 1));

beforeAll(async () => {
  daemon = await startDaemon();
  await loadBusybox(daemon);
  await cli("volume", "create", "kept");
  await cli("network", "create", "net");
  await cli("run", "--name", "ended", "-v", "kept:/data", "--network", "net", busybox, "sh", "-c", "seq 1 1000; exit 3");
  const script = "seq 1 1000; while ! [ -e /more ]; do usleep 10000; done; seq 1 5; sleep 1000";
  await cli("run", "-d", "--name", "runs", "--network", "none", busybox, "sh", "-c", script);
  const idOf = async (name: string) => (await cli("inspect", name, "--format", "{{.Id}}")).stdout.trim();
  ids = { ended: await idOf("ended"), runs: await idOf("runs") };
  await daemon.kill();
}, 30_000);
afterAll(() => daemon[Symbol.asyncDispose]());

beforeEach(() => {
  bringBack = keepFiles(daemon.dataRoot);
});
afterEach(async () => {
  await daemon.kill();
  bringBack();
});

/** Starts it; what it says when it does not start. */
function start(): Promise<string | undefined> {
  return daemon.start().then(
    () => undefined,
    (error: unknown) => String(error),
  );
}

async function expectOthersIntact(): Promise<void> {
  const listed = (await cli("ps", "-a", "--format", "{{.Names}} {{.State}}")).stdout.split("\n").filter(Boolean);
  expect(listed.sort()).toEqual(["ended exited", "runs running"]);
  expect((await cli("inspect", "ended", "--format", "{{.State.ExitCode}}")).stdout).toBe("3\n");
  expect((await cli("volume", "ls", "-q")).stdout).toBe("kept\n");
  expect((await cli("network", "inspect", "net", "--format", "{{.Name}}")).stdout).toBe("net\n");
  expect((await cli("exec", "runs", "echo", "alive")).stdout).toBe("alive\n");
  expect((await cli("run", "--rm", "--network", "none", busybox, "echo", "whole")).stdout).toBe("whole\n");
}

describe.each(damages)("a daemon that finds %s (F12)", (damage) => {
  test("the changes of its database ends at once, names them, and takes nothing for orphaned", async () => {
    await expectRefusal("gantry.db-wal");
  }, 30_000);

  test("its database ends at once, names it, and takes nothing for orphaned", async () => {
    // All changes are in the one file after a clean end.
    await daemon.start();
    await daemon.stop();
    await expectRefusal("gantry.db");
  }, 30_000);

  async function expectRefusal(name: string): Promise<void> {
    const path = join(daemon.dataRoot, name);
    harm(path, damage);
    const failure = await start();
    expect(failure).toContain("the daemon ended with 1");
    expect(failure).toContain(path);
    for (const id of Object.values(ids)) expect(existsSync(join(daemon.dataRoot, "containers", id))).toBe(true);
  }

  test.each(["gantry.db-commits", "gantry.db-shm"])(
    "its file %s needs it not",
    async (name) => {
      harm(join(daemon.dataRoot, name), damage);
      expect(await start()).toBeUndefined();
      await expectOthersIntact();
    },
    30_000,
  );

  test("its instance id knows it all the same, and names the file", async () => {
    const path = join(daemon.dataRoot, "instance-id");
    const before = readFileSync(path, "utf8");
    harm(path, damage);
    const mark = daemon.log().length;
    expect(await start()).toBeUndefined();
    expect(readFileSync(path, "utf8")).toBe(before);
    expect(daemon.log().slice(mark)).toContain(path);
    await expectOthersIntact();
  }, 30_000);

  test("the log of a container shows what is left of it, and goes on", async () => {
    harm(
      onlyName(join(daemon.dataRoot, "containers", ids.ended, "logs"), (path) => path.endsWith("-json.log")),
      damage,
    );
    expect(await start()).toBeUndefined();
    const lines = (await cli("logs", "ended")).stdout.split("\n").filter(Boolean);
    if (damage === "halved") expect(lines).toEqual(numbers(lines.length));
    expect(lines.length).toBeLessThan(1000);
    await expectOthersIntact();
    await cli("start", "-a", "ended");
    expect((await cli("logs", "--tail", "1000", "ended")).stdout.split("\n").filter(Boolean)).toEqual(numbers(1000));
  }, 30_000);
});
