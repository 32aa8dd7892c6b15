import { afterAll, beforeAll, expect, test } from "bun:test";
import { appendFileSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expectClean } from "../../support/audit.ts";
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
  await expectClean(daemon);
  await daemon[Symbol.asyncDispose]();
});

async function logsFolder(name: string): Promise<string> {
  return join(daemon.dataRoot, "containers", (await cli("inspect", name, "--format", "{{.Id}}")).stdout.trim(), "logs");
}

const rotation = ["--log-opt", "max-size=100k", "--log-opt", "max-file=3"];

test("rotated logs are as many and as large as asked, and end with the last line without a hole (H2)", async () => {
  await cli("run", "--name", "prints", "--network", "none", ...rotation, busybox, "seq", "1", "20000");
  const folder = await logsFolder("prints");
  const files = readdirSync(folder).filter((name) => name.includes("json.log"));
  expect(files).toHaveLength(3);
  for (const name of files) expect(statSync(join(folder, name)).size).toBeLessThan(102_000);
  const shown = (await cli("logs", "prints")).stdout.trim().split("\n").map(Number);
  expect(shown.at(-1)).toBe(20_000);
  expect(shown).toEqual(Array.from({ length: shown.length }, (_, index) => 20_000 - shown.length + 1 + index));
  // Three files of 100 KB hold about 3700 lines of 80 bytes.
  expect(shown.length).toBeGreaterThan(2500);
  expect((await cli("logs", "--tail", "5", "prints")).stdout).toBe("19996\n19997\n19998\n19999\n20000\n");
  await cli("rm", "prints");
}, 30_000);

test("following goes through rotations, and ends when the container is removed (H2)", async () => {
  const script = "i=0; while [ $i -lt 6000 ]; do seq $((i+1)) $((i+500)); i=$((i+500)); usleep 50000; done; sleep 1000";
  await cli("run", "-d", "--name", "followed", "--network", "none", ...rotation, busybox, "sh", "-c", script);
  const client = Bun.spawn(["docker", "-H", daemon.host, "logs", "-f", "followed"], { stdout: "pipe", stderr: "ignore" });
  const reading = new Response(client.stdout).text();
  await until(async () => (await cli("logs", "--tail", "1", "followed")).stdout === "6000\n");
  const start = performance.now();
  await cli("rm", "-f", "followed");
  const lines = (await reading).trim().split("\n").map(Number);
  expect(performance.now() - start).toBeLessThan(5000);
  expect(lines).toEqual(Array.from({ length: 6000 }, (_, index) => index + 1));
  expect(await client.exited).toBe(0);
}, 30_000);

test("a damaged record of a log hides only itself, and the log goes on behind it (H3)", async () => {
  await cli("run", "--name", "torn", "--network", "none", busybox, "seq", "1", "100");
  const folder = await logsFolder("torn");
  const path = join(folder, readdirSync(folder).find((name) => name.endsWith("-json.log")) ?? "");
  const lines = readFileSync(path, "utf8").split("\n");
  lines[9] = "\0".repeat(200);
  lines[19] = lines[19]?.slice(0, 20) ?? "";
  lines[29] = "not a record";
  lines[39] = `${lines[39]}${lines[39]}`.slice(0, -30);
  writeFileSync(path, lines.join("\n"));
  // A last line that a power loss has cut.
  appendFileSync(path, '{"log":"half a li');
  const expected = Array.from({ length: 100 }, (_, index) => String(index + 1)).filter((line) => !["10", "20", "30", "40"].includes(line));
  expect((await cli("logs", "torn")).stdout.trim().split("\n")).toEqual(expected);
  await cli("start", "-a", "torn");
  const after = (await cli("logs", "torn")).stdout.trim().split("\n");
  expect(after).toEqual([...expected, ...Array.from({ length: 100 }, (_, index) => String(index + 1))]);
  expect((await cli("logs", "--tail", "3", "torn")).stdout).toBe("98\n99\n100\n");
  await cli("rm", "torn");
}, 30_000);
