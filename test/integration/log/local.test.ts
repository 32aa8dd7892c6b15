import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { readdirSync, rmSync, statfsSync, statSync, writeFileSync } from "node:fs";
import { WorkerLogHub } from "#drivers/log/hub.ts";
import { readLog } from "#drivers/log/log-reader.ts";
import { openLogFiles } from "#drivers/log/open-log-files.ts";
import type { LogConfig, OutputStream } from "#drivers/log/types.ts";
import { silentLogger } from "#lib/log.ts";
import { endClean } from "../../support/audit.ts";
import { startDaemon, type TestDaemon } from "../../support/daemon.ts";
import { docker } from "../../support/docker.ts";
import { busybox, loadBusybox } from "../../support/images.ts";
import { until } from "../../support/until.ts";
import { ConmonContainer } from "./conmon.ts";

const lines = 300_000;
const script = `i=0; while [ $i -lt 100 ]; do seq $((i*${lines / 100}+1)) $((i*${lines / 100}+${lines / 100})); echo "e $i" >&2; usleep 10000; i=$((i+1)); done`;
const expected = Array.from({ length: lines }, (_, index) => `${index + 1}\n`).join("");
const expectedErrors = Array.from({ length: 100 }, (_, index) => `e ${index}\n`).join("");

function configOf({ id: containerId, spoolFolder, logsFolder }: ConmonContainer): LogConfig {
  const options = { "max-size": "400k", "max-file": "100000" };
  return { containerId, spoolFolder, logsFolder, driver: "local", options, attributes: {}, tty: false };
}

/** What one stream has in all files of the log. */
async function textOf(container: ConmonContainer, stream: OutputStream): Promise<string> {
  const files = openLogFiles(configOf(container));
  if (!files) throw new Error("no log");
  const query = { stdout: stream === "stdout", stderr: stream === "stderr", follow: false };
  const texts: string[] = [];
  const read = { files, query, signal: new AbortController().signal, run: undefined, flush: async () => {} };
  for await (const entries of readLog(read)) for (const { line } of entries) texts.push(Buffer.from(line).toString());
  return texts.join("");
}

function startHub({ spoolFolder, logsFolder, exitFile }: ConmonContainer): Bun.Subprocess<"ignore", "pipe", "inherit"> {
  const command = [process.execPath, `${import.meta.dir}/hub-process.ts`, spoolFolder, logsFolder, exitFile, "400k", "262144", "local"];
  return Bun.spawn(command, { stdio: ["ignore", "pipe", "inherit"] });
}

test("a daemon killed at any moment, also while it compresses, leaves no hole and no duplicate (F8)", async () => {
  await using container = new ConmonContainer();
  const first = startHub(container);
  await first.stdout.getReader().read();
  await container.create(script);
  container.start();
  first.kill("SIGKILL");
  await first.exited;
  for (let kill = 0; kill < 12; kill++) {
    const hub = startHub(container);
    await hub.stdout.getReader().read();
    await Bun.sleep(Math.random() * 150);
    hub.kill("SIGKILL");
    await hub.exited;
  }
  const last = startHub(container);
  expect(await container.exit()).toBe(0);
  expect(await last.exited).toBe(0);
  // Not toBe: a difference of megabytes would be printed.
  expect((await textOf(container, "stdout")) === expected).toBe(true);
  expect((await textOf(container, "stderr")) === expectedErrors).toBe(true);
  expect(readdirSync(`${container.logsFolder}/local-logs`).some((name) => name.endsWith(".zst"))).toBe(true);
}, 60_000);

test("on a full disk a container waits, and goes on without a loss when there is space (G2)", async () => {
  const hub = new WorkerLogHub(silentLogger);
  try {
    await using container = new ConmonContainer(64 << 20);
    await hub.open(configOf(container));
    await container.create(script);
    hub.setValve(container.id, container.attachSocket);
    container.start();
    await until(() => hub.offset(container.id) > 2_000_000);
    const others = `${container.folder}/disk/others`;
    const { bavail, bsize } = statfsSync(`${container.folder}/disk`);
    try {
      writeFileSync(others, Buffer.alloc(bavail * bsize + (1 << 20)));
    } catch {
      // ENOSPC: what was written fills the disk
    }
    let size = -1;
    await until(async () => {
      const before = size;
      size = hub.offset(container.id);
      await Bun.sleep(300);
      return size === before;
    });
    expect(container.ended).toBe(false);
    rmSync(others);
    await container.exit();
    await hub.finish(container.id);
    expect((await textOf(container, "stdout")) === expected).toBe(true);
    expect((await textOf(container, "stderr")) === expectedErrors).toBe(true);
  } finally {
    await hub.close();
  }
}, 60_000);

describe("the driver local", () => {
  let daemon: TestDaemon;
  const cli = (...args: string[]) => docker(daemon.host, ...args);
  beforeAll(async () => {
    daemon = await startDaemon({ args: ["--log-driver=local", "--log-opt=max-size=300k", "--log-opt=max-file=4"] });
    await loadBusybox(daemon);
  });
  afterAll(() => endClean(daemon));

  async function logFolder(name: string): Promise<string> {
    return `${daemon.dataRoot}/containers/${(await cli("inspect", "-f", "{{.Id}}", name)).stdout.trim()}/logs/local-logs`;
  }

  test("is the daemon's choice when it says so, with its options (LOG-11)", async () => {
    expect((await cli("info", "-f", "{{.LoggingDriver}}")).stdout).toBe("local\n");
    await cli("run", "--name", "default", "--network", "none", busybox, "sh", "-c", "echo one; echo two >&2; printf three");
    const { HostConfig, LogPath } = (await daemon.request("GET", "/containers/default/json")).body as {
      HostConfig: { LogConfig: unknown };
      LogPath: string;
    };
    expect(HostConfig.LogConfig).toEqual({ Type: "local", Config: { "max-file": "4", "max-size": "300k" } });
    expect(LogPath).toBe("");
    const logs = await cli("logs", "default");
    expect([logs.stdout, logs.stderr]).toEqual(["one\nthree", "two\n"]);
    expect((await cli("run", "--rm", "--log-driver", "json-file", busybox, "echo", "x")).stdout).toBe("x\n");
    await cli("rm", "default");
  });

  test("keeps what its options say of a container that prints for ever, and follows through its rotations (H2, LOG-20)", async () => {
    const printing = "i=0; while :; do seq $((i+1)) $((i+2000)); i=$((i+2000)); usleep 5000; done";
    await cli("run", "-d", "--name", "for-ever", "--network", "none", busybox, "sh", "-c", printing);
    const client = Bun.spawn(["docker", "-H", daemon.host, "logs", "-f", "for-ever"], { stdout: "pipe", stderr: "ignore" });
    const reading = new Response(client.stdout).text();
    const folder = await logFolder("for-ever");
    await until(() => readdirSync(folder).some((name) => Number(name.slice(0, 6)) > 12), 30_000);
    const sizes = readdirSync(folder).map((name) => statSync(`${folder}/${name}`, { throwIfNoEntry: false })?.size ?? 0);
    expect(sizes.reduce((total, size) => total + size, 0)).toBeLessThan(5 * 310_000);
    const shown = (await cli("logs", "--tail", "30000", "for-ever")).stdout.trim().split("\n").map(Number);
    expect(shown.length).toBe(30_000);
    expect(shown.every((number, index) => index === 0 || number === (shown[index - 1] ?? 0) + 1)).toBe(true);
    await cli("rm", "-f", "for-ever");
    const followed = (await reading).trim().split("\n").map(Number);
    expect(followed.every((number, index) => number === index + 1)).toBe(true);
    expect(followed.length).toBeGreaterThan(100_000);
  }, 60_000);

  test("json-files are compressed when asked for, and read back as a whole (LOG-01)", async () => {
    const options = ["max-size=200k", "max-file=3", "compress=true"].flatMap((option) => ["--log-opt", option]);
    await cli("run", "-d", "--name", "json", "--log-driver", "json-file", ...options, "--network", "none", busybox, "seq", "1", "20000");
    await cli("wait", "json");
    const folder = (await logFolder("json")).replace(/\/local-logs$/, "");
    await until(() => readdirSync(folder).filter((name) => name.endsWith(".gz")).length === 2);
    const shown = (await cli("logs", "json")).stdout.trim().split("\n").map(Number);
    expect(shown.at(-1)).toBe(20_000);
    expect(shown.length).toBeGreaterThan(5000);
    expect(shown).toEqual(Array.from({ length: shown.length }, (_, index) => 20_001 - shown.length + index));
    await cli("rm", "json");
  });
});
