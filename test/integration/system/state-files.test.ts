import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startDaemon, type TestDaemon } from "../../support/daemon.ts";
import { docker } from "../../support/docker.ts";
import { busybox, loadBusybox } from "../../support/images.ts";

/** Requirement F12: any one state file emptied, halved, garbled or missing. */
type Damage = "emptied" | "halved" | "garbled" | "missing";
const damages: readonly Damage[] = ["emptied", "halved", "garbled", "missing"];

let daemon: TestDaemon;
let safe = "";
let ids: Record<"ended" | "runs", string>;
const cli = (...args: string[]) => docker(daemon.host, ...args);

beforeAll(async () => {
  daemon = await startDaemon();
  await loadBusybox(daemon);
  await cli("volume", "create", "kept");
  await cli("network", "create", "net");
  await cli("run", "--name", "ended", "-v", "kept:/data", busybox, "sh", "-c", "seq 1 1000; echo kept > /data/file; exit 3");
  await cli("run", "-d", "--name", "runs", "--network", "none", busybox, "sh", "-c", "seq 1 1000; sleep 1000");
  const idOf = async (name: string) => (await cli("inspect", name, "--format", "{{.Id}}")).stdout.trim();
  ids = { ended: await idOf("ended"), runs: await idOf("runs") };
  await daemon.kill();
  safe = mkdtempSync(join(tmpdir(), "gantry-safe-"));
}, 30_000);
afterAll(async () => {
  rmSync(safe, { recursive: true, force: true });
  await daemon[Symbol.asyncDispose]();
});

/** Damages a file that a killed daemon has left; undone after the test. */
let restoreFile = (): void => {};
afterEach(async () => {
  await daemon.kill();
  restoreFile();
});

function harm(path: string, damage: Damage): void {
  const copy = join(safe, "copy");
  cpSync(path, copy);
  restoreFile = () => cpSync(copy, path);
  const { size } = statSync(path);
  if (damage === "missing") rmSync(path);
  else if (damage === "emptied") truncateSync(path, 0);
  else if (damage === "halved") truncateSync(path, Math.floor(size / 2));
  else writeFileSync(path, Buffer.alloc(Math.max(size, 16), "garbage\n"));
}

/** Starts it; what it says when it does not start. */
async function start(): Promise<string | undefined> {
  return daemon.start().then(
    () => undefined,
    (error: unknown) => String(error),
  );
}

async function expectOthersIntact(): Promise<void> {
  expect((await cli("ps", "-a", "--format", "{{.Names}} {{.State}}")).stdout.split("\n").filter(Boolean).sort()).toEqual(["ended exited", "runs running"]);
  expect((await cli("volume", "ls", "-q")).stdout).toBe("kept\n");
  expect((await cli("network", "inspect", "net", "--format", "{{.Name}}")).stdout).toBe("net\n");
  expect((await cli("exec", "runs", "echo", "alive")).stdout).toBe("alive\n");
}

async function expectImageRuns(): Promise<void> {
  expect((await cli("run", "--rm", "--network", "none", busybox, "echo", "whole")).stdout).toBe("whole\n");
}

/** The damage is told with the file's name, or exactly nothing is lost by it. */
const logSince = (mark: number): string => daemon.log().slice(mark);

describe.each(damages)("a daemon finds %s (F12)", (damage) => {
  test("its database, and ends at once with a message that names it", async () => {
    const path = join(daemon.dataRoot, "gantry.db");
    harm(path, damage);
    const failure = await start();
    expect(failure).toContain("the daemon ended with 1");
    expect(failure).toContain(path);
    // Nothing was taken for orphaned.
    expect(existsSync(join(daemon.dataRoot, "containers", ids.ended))).toBe(true);
  }, 30_000);

  test("the changes beside its database: what is whole stays, or it ends and names the file", async () => {
    const path = join(daemon.dataRoot, "gantry.db-wal");
    harm(path, damage);
    const failure = await start();
    if (failure === undefined) await expectOthersIntact();
    else expect(failure).toContain(path);
  }, 30_000);

  test("its instance id, and knows it all the same", async () => {
    const path = join(daemon.dataRoot, "instance-id");
    const before = readFileSync(path, "utf8");
    harm(path, damage);
    const mark = daemon.log().length;
    expect(await start()).toBeUndefined();
    expect(readFileSync(path, "utf8")).toBe(before);
    expect(logSince(mark)).toContain(path);
    await expectOthersIntact();
  }, 30_000);

  test("the record of a layer: names it, and a load mends it", async () => {
    const chains = join(daemon.dataRoot, "layers/chains");
    const path = join(chains, readdirSync(chains)[0] ?? "", "layer.json");
    harm(path, damage);
    const mark = daemon.log().length;
    expect(await start()).toBeUndefined();
    expect(logSince(mark)).toContain(path);
    await expectOthersIntact();
    await loadBusybox(daemon);
    await expectImageRuns();
  }, 30_000);

  test.each(["index", "tar"])("a layer's %s: other objects are intact, and audit or the container's start names it", async (file) => {
    const layers = join(daemon.dataRoot, "layers");
    const name = readdirSync(join(layers, file === "tar" ? "tars" : "chains"))[0] ?? "";
    const path = file === "tar" ? join(layers, "tars", name) : join(layers, "chains", name, "index");
    harm(path, damage);
    expect(await start()).toBeUndefined();
    await expectOthersIntact();
  }, 30_000);

  test.each(["config", "manifest"])("the blob of an image's %s: names it, lists and removes the image, and a load mends it", async (which) => {
    const folder = join(daemon.dataRoot, "content/blobs/sha256");
    const isConfig = (name: string): boolean => readFileSync(join(folder, name), "utf8").includes('"rootfs"');
    const path = join(folder, readdirSync(folder).find((name) => isConfig(name) === (which === "config")) ?? "");
    harm(path, damage);
    const mark = daemon.log().length;
    expect(await start()).toBeUndefined();
    if (which === "config") expect(logSince(mark)).toContain(path.split("/").at(-1) ?? "");
    await expectOthersIntact();
    expect((await cli("images", "--format", "{{.Repository}}")).stdout).toBe("busybox\n");
    await loadBusybox(daemon);
    await expectImageRuns();
    expect(new Bun.CryptoHasher("sha256").update(readFileSync(path)).digest("hex")).toBe(path.split("/").at(-1) ?? "");
  }, 30_000);

  test("the log of a container: the rest of the log and everything else is there, and it goes on", async () => {
    const path = join(daemon.dataRoot, "containers", ids.runs, "logs", readdirSync(join(daemon.dataRoot, "containers", ids.runs, "logs")).find((name) => name.endsWith("json.log")) ?? "json.log");
    harm(path, damage);
    expect(await start()).toBeUndefined();
    const lines = (await cli("logs", "runs")).stdout.split("\n").filter(Boolean);
    if (damage === "halved") expect(lines.slice(0, 100)).toEqual(Array.from({ length: 100 }, (_, index) => String(index + 1)));
    await expectOthersIntact();
  }, 30_000);

  test.each(["cursor", "spool"])("the %s of a container that runs: it goes on, and what it prints is logged", async (which) => {
    const container = join(daemon.dataRoot, "containers", ids.runs);
    const folder = join(container, which === "spool" ? "spool" : "logs");
    const name = readdirSync(folder).find((candidate) => (which === "spool" ? candidate === "log" : candidate.includes("cursor")));
    harm(join(folder, name ?? "?"), damage);
    expect(await start()).toBeUndefined();
    await expectOthersIntact();
    expect((await cli("logs", "ended")).stdout.split("\n").filter(Boolean)).toHaveLength(1000);
  }, 30_000);
});
