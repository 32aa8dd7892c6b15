import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { endClean } from "../../support/audit.ts";
import { startDaemon, type TestDaemon } from "../../support/daemon.ts";
import { docker } from "../../support/docker.ts";
import { lackOf, needs } from "../../support/host-has.ts";
import { busybox, loadBusybox } from "../../support/images.ts";
import { until } from "../../support/until.ts";

let daemon: TestDaemon;
const cli = (...args: string[]) => docker(daemon.host, ...args);
const read = async (name: string, format: string) => (await cli("inspect", name, "--format", format)).stdout.trim();
const update = (name: string, body: unknown) => daemon.request("POST", `/v1.51/containers/${name}/update`, body);

beforeAll(async () => {
  daemon = await startDaemon();
  await loadBusybox(daemon);
});
afterAll(async () => {
  await endClean(daemon);
});

async function running(name: string, flags: readonly string[] = [], ...command: string[]): Promise<AsyncDisposable> {
  const { code, stderr } = await cli("run", "-d", "--name", name, ...flags, busybox, ...(command.length > 0 ? command : ["sleep", "1000"]));
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  return { [Symbol.asyncDispose]: async () => void (await cli("rm", "-f", name)) };
}

/** A limit as the kernel has it: the file of version 1, or that of version 2. */
async function limit(name: string, controller: string, v1: string, v2: string): Promise<string> {
  const pid = await read(name, "{{.State.Pid}}");
  const lines = readFileSync(`/proc/${pid}/cgroup`, "utf8").split("\n");
  const line = lines.find((one) => (one.split(":")[1] ?? "").split(",").includes(controller));
  if (line !== undefined) return readFileSync(`/sys/fs/cgroup/${line.split(":")[1]}${line.split(":")[2]}/${v1}`, "utf8").trim();
  return readFileSync(`/sys/fs/cgroup${lines[0]?.split("::")[1]}/${v2}`, "utf8").trim();
}
const memoryLimit = (name: string) => limit(name, "memory", "memory.limit_in_bytes", "memory.max");
const pidsLimit = (name: string) => limit(name, "pids", "pids.max", "pids.max");

const mebibyte = 2 ** 20;

describe("RUN-40: an update", () => {
  test("is in force at once, shown, and kept over a restart of daemon and container", async () => {
    await using _one = await running("limited", ["-m", "64m"]);
    const body = { Memory: 100 * mebibyte, MemorySwap: 200 * mebibyte, PidsLimit: 40, CpuShares: 512, NanoCpus: 5e8 };
    expect(await update("limited", body)).toMatchObject({ status: 200, body: { Warnings: null } });
    expect(await memoryLimit("limited")).toBe(String(100 * mebibyte));
    expect(await pidsLimit("limited")).toBe("40");
    expect(await limit("limited", "cpu", "cpu.cfs_quota_us", "cpu.max")).toMatch(/^50000( 100000)?$/);
    await daemon.kill();
    await daemon.start();
    const shown =
      "{{.HostConfig.Memory}} {{.HostConfig.MemorySwap}} {{.HostConfig.PidsLimit}} {{.HostConfig.CpuShares}} {{.HostConfig.NanoCpus}}";
    expect(await read("limited", shown)).toBe(`${100 * mebibyte} ${200 * mebibyte} 40 512 500000000`);
    await cli("restart", "-t", "0", "limited");
    expect(await memoryLimit("limited")).toBe(String(100 * mebibyte));
  }, 60_000);

  needs("cpuset")("of the processors is in force at once", async () => {
    await using _one = await running("moved");
    expect((await update("moved", { CpusetCpus: "0" })).status).toBe(200);
    expect(await limit("moved", "cpuset", "cpuset.cpus", "cpuset.cpus")).toBe("0");
  });

  test("raises and lowers memory with its swap, and takes limits away", async () => {
    await using _one = await running("changing", ["-m", "64m", "--memory-swap", "64m", "--pids-limit", "20"]);
    for (const size of [32, 512, 16]) {
      expect((await update("changing", { Memory: size * mebibyte, MemorySwap: size * mebibyte })).status).toBe(200);
      expect(await memoryLimit("changing")).toBe(String(size * mebibyte));
    }
    expect((await update("changing", { PidsLimit: -1 })).status).toBe(200);
    expect(await pidsLimit("changing")).toBe("max");
    expect(await read("changing", "{{.HostConfig.PidsLimit}}")).toBe("0");
  }, 30_000);

  test("that the kernel refuses changes nothing", async () => {
    // What is used cannot be given back.
    await using _one = await running(
      "full",
      ["-m", "64m", "--memory-swap", "64m"],
      "sh",
      "-c",
      "head -c 20000000 /dev/zero > /dev/shm/x; sleep 1000",
    );
    if (!existsSync("/sys/fs/cgroup/memory")) return; // v2 kills instead, as its documentation says
    await until(async () => Number(await limit("full", "memory", "memory.usage_in_bytes", "")) > 20_000_000);
    await Bun.sleep(300);
    const answer = await update("full", { Memory: 7 * mebibyte, MemorySwap: 7 * mebibyte, PidsLimit: 30 });
    expect(answer.status).toBe(409);
    expect(answer.text).toMatch(
      /Cannot update container [0-9a-f]{64}: unable to set memory limit to 7340032 \(current usage: \d+, peak usage: \d+\)/,
    );
    expect([await memoryLimit("full"), await pidsLimit("full")]).toEqual([String(64 * mebibyte), "max"]);
    expect(await read("full", "{{.HostConfig.Memory}}")).toBe(String(64 * mebibyte));
  }, 30_000);

  test.each([
    [{ Memory: 1000 }, 400, "Minimum memory limit allowed is 6MB"],
    [{ Memory: 128 * mebibyte }, 409, "Memory limit should be smaller than already set memoryswap limit"],
    [{ NanoCpus: 9e13 }, 400, "range of CPUs is from 0.01"],
    [{ CpuPeriod: 5000 }, 409, "CPU Period cannot be updated as NanoCPUs has already been set"],
    ...(lackOf("cpuset") ? [] : ([[{ CpusetCpus: "900" }, 400, "Requested CPUs are not available"]] as const)),
    [{ RestartPolicy: { Name: "sometimes" } }, 400, "unknown policy 'sometimes'"],
    ...(lackOf("cgroup v1") ? ([[{ CpuRealtimePeriod: 1000 }, 400, "kernel does not support CPU real-time scheduler"]] as const) : []),
  ])("of %j is refused", async (body, status, message) => {
    await cli("create", "--name", "refusing", "-m", "32m", "--cpus", "0.5", busybox, "true");
    const before = await read("refusing", "{{json .HostConfig}}");
    const answer = await update("refusing", body);
    expect(answer.status).toBe(status);
    expect(answer.text).toContain(message);
    expect(await read("refusing", "{{json .HostConfig}}")).toBe(before);
    await cli("rm", "refusing");
  });

  test("of the restart policy takes effect at once", async () => {
    // It runs until it is told to end, and ends at once whenever it is started again.
    await using _one = await running("policy", [], "sh", "-c", "until [ -e /told ]; do sleep 0.1; done; exit 1");
    expect((await cli("update", "--restart", "always", "policy")).stdout).toBe("policy\n");
    await cli("exec", "policy", "touch", "/told");
    await until(async () => Number(await read("policy", "{{.RestartCount}}")) >= 2);
    await until(async () => (await read("policy", "{{.State.Status}}")) === "restarting");
    await cli("update", "--restart", "no", "policy");
    await until(async () => (await read("policy", "{{.State.Status}}")) === "exited");
    const count = await read("policy", "{{.RestartCount}}");
    await Bun.sleep(1500);
    expect(await read("policy", "{{.State.Status}} {{.RestartCount}}")).toBe(`exited ${count}`);
  }, 30_000);

  test("cannot give a policy to a container that is removed after its end", async () => {
    await using _one = await running("passing", ["--rm"]);
    const refused = await cli("update", "--restart", "always", "passing");
    expect(refused.stderr).toContain("Restart policy cannot be updated because AutoRemove is enabled for the container");
    expect((await cli("update", "--restart", "no", "passing")).code).toBe(0);
  }, 30_000);

  test("by our own client prints what was updated, and what was not", async () => {
    await using _one = await running("mine");
    const main = new URL("../../../src/main.ts", import.meta.url).pathname;
    const own = Bun.spawnSync([
      process.execPath,
      main,
      "-H",
      daemon.host,
      "update",
      "--pids-limit",
      "33",
      "--restart",
      "on-unhealthy:2",
      "mine",
      "nobody",
    ]);
    expect([own.exitCode, own.stdout.toString(), own.stderr.toString()]).toEqual([
      1,
      "mine\n",
      "Error response from daemon: No such container: nobody\n",
    ]);
    expect(await read("mine", "{{.HostConfig.PidsLimit}} {{json .HostConfig.RestartPolicy}}")).toBe(
      `33 {"Name":"on-unhealthy","MaximumRetryCount":2}`,
    );
  }, 30_000);
});
