import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { endClean, expectClean } from "../../support/audit.ts";
import { startDaemon, type TestDaemon } from "../../support/daemon.ts";
import { docker } from "../../support/docker.ts";
import { lacks } from "../../support/host-has.ts";
import { busybox, loadBusybox } from "../../support/images.ts";
import { until } from "../../support/until.ts";

let daemon: TestDaemon;
let elsewhere: string;
const cli = (...args: string[]) => docker(daemon.host, ...args);
const output = async (...args: string[]): Promise<string> => (await cli(...args)).stdout.trim();
const state = (name: string) => output("inspect", name, "--format", "{{.State.Status}} {{.State.ExitCode}}");
const inspectId = (name: string) => output("inspect", name, "--format", "{{.Id}}");
const hasCrun = Bun.which("crun") !== null;
const crunHasCriu = hasCrun && Bun.spawnSync(["crun", "--version"]).stdout.includes("+CRIU");

/** Prints a number every tenth of a second. */
const counts = ["sh", "-c", "i=0; while :; do echo $i; i=$((i+1)); sleep 0.1; done"];
const lastCount = async (name: string): Promise<number> => Number((await output("logs", "--tail", "1", name)) || -1);

async function runsOn(name: string): Promise<void> {
  const before = await lastCount(name);
  await until(async () => (await lastCount(name)) > before + 2);
}

const ownCheckpoints = async (name: string): Promise<string> => join(daemon.dataRoot, "containers", await inspectId(name), "checkpoints");

beforeAll(async () => {
  elsewhere = mkdtempSync(join(tmpdir(), "gantry-checkpoints-"));
  daemon = await startDaemon({ args: ["--experimental"] });
  await loadBusybox(daemon);
});
afterAll(async () => {
  rmSync(elsewhere, { recursive: true, force: true });
  await endClean(daemon);
});

test("a daemon with experimental features says so, and one without refuses checkpoints", async () => {
  const ping = await fetch("http://d/_ping", { unix: daemon.socket });
  expect(ping.headers.get("Docker-Experimental")).toBe("true");
  expect(await output("version", "--format", "{{.Server.Experimental}}")).toBe("true");
  expect(await output("info", "--format", "{{.ExperimentalBuild}}")).toBe("true");
});

test("E5: names of checkpoints that lead elsewhere are refused", async () => {
  await cli("run", "-d", "--name", "named", busybox, "sleep", "1000");
  for (const name of ["../x", "a/b", "..", ".x", ""]) {
    const { status, text } = await daemon.request("POST", "/containers/named/checkpoints", { CheckpointID: name });
    expect({ name, status, text }).toMatchObject({ name, status: 400, text: expect.stringContaining("Invalid checkpoint ID") });
  }
  for (const name of ["a%2Fb", ".x", "one%20two"]) {
    expect({ name, ...(await daemon.request("DELETE", `/containers/named/checkpoints/${name}`)) }).toMatchObject({ name, status: 404 });
    expect({ name, ...(await daemon.request("POST", `/containers/named/start?checkpoint=${name}`)) }).toMatchObject({ name, status: 304 });
  }
  expect(await daemon.request("POST", "/containers/named/checkpoints", { CheckpointID: "one", CheckpointDir: "relative" })).toMatchObject({
    status: 400,
  });
  writeFileSync(join(elsewhere, "file"), "");
  const inFile = await daemon.request("POST", "/containers/named/checkpoints", {
    CheckpointID: "one",
    CheckpointDir: join(elsewhere, "file"),
  });
  expect(inFile).toMatchObject({ status: 500, text: expect.stringContaining(": not a directory") });
  await cli("rm", "-f", "named");
});

test("checkpoints are listed and removed, in the container's folder and elsewhere, and go with the container", async () => {
  await cli("create", "--name", "listed", busybox, "true");
  const own = await ownCheckpoints("listed");
  expect((await cli("checkpoint", "ls", "listed")).stdout).toBe("CHECKPOINT NAME\n");
  for (const name of ["two", "one", ".three.unfinished"]) mkdirSync(join(own, name), { recursive: true });
  writeFileSync(join(own, "file"), "");
  const others = join(elsewhere, await inspectId("listed"), "checkpoints");
  mkdirSync(join(others, "far"), { recursive: true });
  expect((await cli("checkpoint", "ls", "listed")).stdout).toBe("CHECKPOINT NAME\none\ntwo\n");
  expect((await cli("checkpoint", "ls", "--checkpoint-dir", elsewhere, "listed")).stdout).toBe("CHECKPOINT NAME\nfar\n");
  expect(await cli("checkpoint", "rm", "listed", "two")).toMatchObject({ code: 0 });
  expect(await cli("checkpoint", "rm", "listed", "two")).toMatchObject({
    code: 1,
    stderr: "Error response from daemon: checkpoint two does not exist for container listed\n",
  });
  expect(await cli("checkpoint", "rm", "--checkpoint-dir", elsewhere, "listed", "far")).toMatchObject({ code: 0 });
  expect(readdirSync(others)).toEqual([]);
  expect((await cli("checkpoint", "ls", "listed")).stdout).toBe("CHECKPOINT NAME\none\n");
  await cli("rm", "listed");
  await until(() => !existsSync(own));
});

test.skipIf(!hasCrun || crunHasCriu)("a container of a crun without CRIU is refused, with what to do", async () => {
  await cli("run", "-d", "--name", "by-crun", "--runtime", "crun", busybox, ...counts);
  const refused = await daemon.request("POST", "/containers/by-crun/checkpoints", { CheckpointID: "one" });
  expect(refused.status).toBe(501);
  expect(refused.text).toContain("is built without CRIU: make the container with --runtime runc");
  await runsOn("by-crun");
  mkdirSync(join(await ownCheckpoints("by-crun"), "one"), { recursive: true });
  await cli("rm", "-f", "by-crun");
});

lacks("criu")(
  "where criu does not work a checkpoint is refused with its own reason, and the container runs on as before",
  async () => {
    await cli("run", "-d", "--name", "stays", "--runtime", "runc", busybox, ...counts);
    await until(async () => (await lastCount("stays")) > 0);
    const pid = await output("inspect", "stays", "--format", "{{.State.Pid}}");
    for (const CheckpointDir of ["", join(elsewhere, "new")]) {
      const refused = await daemon.request("POST", "/containers/stays/checkpoints", { CheckpointID: "one", CheckpointDir, Exit: true });
      expect(refused.status).toBe(501);
      expect(refused.text).toMatch(/Cannot checkpoint container stays: criu/);
      expect(refused.text).not.toContain("FAILED");
    }
    await runsOn("stays");
    expect(await output("inspect", "stays", "--format", "{{.State.Status}} {{.State.Pid}}")).toBe(`running ${pid}`);
    expect((await cli("checkpoint", "ls", "stays")).stdout).toBe("CHECKPOINT NAME\n");
    expect(existsSync(await ownCheckpoints("stays"))).toBe(false);
    expect(existsSync(join(elsewhere, "new"))).toBe(false);
    await expectClean(daemon);
    await cli("rm", "-f", "stays");
  },
  30_000,
);

lacks("criu")(
  "where criu does not work a start from a checkpoint is refused with its own reason, and the container starts anew without",
  async () => {
    await cli("create", "--name", "restored", "--runtime", "runc", busybox, "echo", "begun");
    mkdirSync(join(await ownCheckpoints("restored"), "one"), { recursive: true });
    const refused = await daemon.request("POST", "/containers/restored/start?checkpoint=one");
    expect(refused.status).toBe(501);
    expect(refused.text).toContain("criu");
    expect(await state("restored")).toStartWith("created ");
    await expectClean(daemon);
    expect(await output("start", "-a", "restored")).toBe("begun");
    await cli("rm", "restored");
  },
  30_000,
);

describe.skipIf(Bun.which("runc") === null)("with a criu that takes its time", () => {
  let slow: TestDaemon;
  let programs: string;
  const path = process.env["PATH"];
  const slowCli = (...args: string[]) => docker(slow.host, ...args);
  const count = async (): Promise<number> => Number((await slowCli("logs", "--tail", "1", "held")).stdout.trim() || -1);

  beforeAll(async () => {
    programs = mkdtempSync(join(tmpdir(), "gantry-slow-criu-"));
    // Stands where criu would look at the container: it is frozen meanwhile.
    writeFileSync(
      join(programs, "criu"),
      `#!/bin/sh\n[ "$1" = check ] && exit 0\ntouch ${programs}/begun\nwhile [ ! -e ${programs}/end ]; do sleep 0.05; done\nexit 1\n`,
      {
        mode: 0o755,
      },
    );
    process.env["PATH"] = `${programs}:${path}`;
    slow = await startDaemon({ args: ["--experimental", "--default-runtime", "runc"] });
    await loadBusybox(slow);
  });
  afterAll(async () => {
    process.env["PATH"] = path;
    await endClean(slow);
    rmSync(programs, { recursive: true, force: true });
  });

  test("F7: a daemon that is killed in the middle of a checkpoint leaves the container as it was, and nothing of the checkpoint", async () => {
    await slowCli("run", "-d", "--name", "held", busybox, ...counts);
    await until(async () => (await count()) > 0);
    const id = (await slowCli("inspect", "held", "--format", "{{.Id}}")).stdout.trim();
    const folder = join(slow.dataRoot, "containers", id, "checkpoints");
    const place = join(programs, "elsewhere");
    const created = slow
      .request("POST", `/containers/${id}/checkpoints`, { CheckpointID: "one", CheckpointDir: place, Exit: true })
      .catch(() => undefined);
    await until(() => existsSync(join(programs, "begun")));
    const frozen = await count();
    expect(await slow.request("POST", `/containers/${id}/unpause`)).toMatchObject({ status: 409 });
    expect(await slow.request("POST", `/containers/${id}/pause`)).toMatchObject({ status: 409 });
    await Bun.sleep(400);
    expect(await count()).toBe(frozen);
    await slow.kill();
    await created;
    await slow.start();
    writeFileSync(join(programs, "end"), "");
    await until(async () => (await count()) > frozen + 2);
    await until(() => !existsSync(join(place, id, "checkpoints", ".one.unfinished")));
    expect((await slowCli("inspect", "held", "--format", "{{.State.Status}}")).stdout.trim()).toBe("running");
    expect(existsSync(folder)).toBe(false);
    expect((await slowCli("pause", "held")).code).toBe(0);
    expect((await slowCli("unpause", "held")).code).toBe(0);
    await expectClean(slow);
    await slowCli("rm", "-f", "held");
  }, 60_000);
});
