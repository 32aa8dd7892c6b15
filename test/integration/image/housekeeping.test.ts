import { afterAll, beforeAll, expect, test } from "bun:test";
import { randomFillSync } from "node:crypto";
import { join } from "node:path";
import { expectClean } from "../../support/audit.ts";
import { startDaemon, type TestDaemon } from "../../support/daemon.ts";
import { docker } from "../../support/docker.ts";
import { busybox, loadBusybox } from "../../support/images.ts";
import { until } from "../../support/until.ts";
import { Disk } from "../system/disk.ts";
import { dockerArchive, image } from "./fixtures.ts";

const policy = ["high-mark=60", "low-mark=45", "unused-for=0", "keep-tags=0", "local=true"];
const disk = new Disk("160M");
let daemon: TestDaemon;
const cli = (...args: string[]) => docker(daemon.host, ...args);

beforeAll(async () => {
  daemon = await startDaemon({ dataRoot: join(disk.path, "data"), args: policy.flatMap((option) => ["--image-gc", option]) });
}, 30_000);
afterAll(async () => {
  await expectClean(daemon);
  await daemon[Symbol.asyncDispose]();
  disk[Symbol.dispose]();
}, 30_000);

async function load(tag: string): Promise<void> {
  const made = image([{ [tag]: randomFillSync(new Uint8Array(24 << 20)) }]);
  const answer = await fetch("http://d/images/load", { unix: daemon.socket, method: "POST", body: dockerArchive(made, [`${tag}:1`]) });
  expect(await answer.text()).toContain(`Loaded image: ${tag}:1`);
}

async function gantry(...args: string[]): Promise<{ stdout: string; stderr: string }> {
  const child = Bun.spawn([process.execPath, "src/main.ts", "-H", daemon.host, ...args], { stdout: "pipe", stderr: "pipe" });
  const [stdout, stderr] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()]);
  return { stdout, stderr };
}

const images = async () => (await cli("images", "--format", "{{.Repository}}")).stdout.trim().split("\n").sort();

test("when the disk fills up the longest unused images go by themselves, and never what a container needs; it is explained before", async () => {
  await loadBusybox(daemon);
  await cli("create", "--name", "keeper", busybox);
  await load("first");
  await load("second");
  await cli("rm", (await cli("create", "first:1", "x")).stdout.trim()); // used again: the second one is older now
  const { stdout, stderr } = await gantry("system", "gc", "--explain");
  expect(stderr).toMatch(/^The disk is \d+% full; from 60% on unused images go by themselves, until it is 45% full\.$/m);
  const rows = stdout
    .split("\n")
    .slice(1)
    .map((line) => line.split(/ {2,}/));
  expect(rows.map(([name, , , decision, why]) => [name, decision, why]).slice(0, 3)).toEqual([
    ["second:1", "may", "nothing needs it"],
    ["first:1", "may", "nothing needs it"],
    ["busybox:latest", "keep", "container keeper needs it"],
  ]);
  expect(await images()).toEqual(["busybox", "first", "second"]);

  await load("third");
  await load("fourth");
  await until(async () => !(await images()).includes("second"), 15_000);
  expect(await images()).toContain("busybox");
  expect(await images()).toContain("fourth");
  const deleted = await cli("events", "--since", "10m", "--until", "0s", "--filter", "event=untag", "--format", "{{.Action}}");
  expect(deleted.stdout).toContain("untag");
}, 60_000);

test("by hand everything goes that may", async () => {
  const { stdout } = await gantry("system", "gc", "--force");
  expect(stdout).toContain("untagged: fourth:1\n");
  expect(stdout).toMatch(/^Total reclaimed space: \d+(\.\d+)?MB$/m);
  expect(await images()).toEqual(["busybox"]);
  await cli("rm", "keeper");
}, 30_000);
