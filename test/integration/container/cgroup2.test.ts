import { afterAll, beforeAll, describe, expect } from "bun:test";
import { readFileSync } from "node:fs";
import type { ContainerStatsResponse } from "../../../src/types/engine-api/index.ts";
import { endClean } from "../../support/audit.ts";
import { startDaemon, type TestDaemon } from "../../support/daemon.ts";
import { docker } from "../../support/docker.ts";
import { lackOf, needs } from "../../support/host-has.ts";
import { busybox, loadBusybox } from "../../support/images.ts";

let daemon: TestDaemon;
const cli = (...args: string[]) => docker(daemon.host, ...args);
const run = (...args: string[]) => cli("run", "--rm", "--network", "none", ...args);
const v2 = needs("cgroup v2");
const mebibyte = 2 ** 20;

const isMeant = lackOf("cgroup v2") === undefined;
beforeAll(async () => {
  if (!isMeant) return;
  daemon = await startDaemon();
  await loadBusybox(daemon);
});
afterAll(async () => {
  if (isMeant) await endClean(daemon);
});

async function running(name: string, ...flags: string[]): Promise<AsyncDisposable> {
  expect(await cli("run", "-d", "--name", name, "--network", "none", ...flags, busybox, "sleep", "1000")).toMatchObject({
    code: 0,
    stderr: "",
  });
  return { [Symbol.asyncDispose]: async () => void (await cli("rm", "-f", name)) };
}

/** A file of the container's cgroup as the host has it. */
async function file(name: string, of: string): Promise<string> {
  const pid = (await cli("inspect", name, "--format", "{{.State.Pid}}")).stdout.trim();
  const path = readFileSync(`/proc/${pid}/cgroup`, "utf8").trim().split("::")[1];
  return readFileSync(`/sys/fs/cgroup${path}/${of}`, "utf8").trim();
}

describe("on cgroup v2", () => {
  v2("the limits of a run are those of its cgroup, of which it sees no more than its own part", async () => {
    const files = ["memory.max", "memory.swap.max", "memory.low", "cpu.max", "cpu.weight", "pids.max"];
    const flags = ["-m", "32m", "--memory-swap", "48m", "--memory-reservation", "16m", "--cpus", "0.5", "--cpu-shares", "512"];
    const script = `cat /proc/self/cgroup; cd /sys/fs/cgroup; cat ${files.join(" ")}; echo 1 > pids.max`;
    const result = await run(...flags, "--pids-limit", "50", busybox, "sh", "-c", script);
    const weight = 1 + Math.trunc((510 * 9999) / 262142);
    const values = [32 * mebibyte, 16 * mebibyte, 16 * mebibyte, "50000 100000", weight, 50];
    expect(result.stdout).toBe(`0::/\n${values.join("\n")}\n`);
    expect(result.stderr).toContain("Read-only file system");
  });

  v2("an update is in force at once, swap apart from memory", async () => {
    await using _one = await running("updated", "-m", "32m", "--memory-swap", "64m");
    const body = { Memory: 64 * mebibyte, MemorySwap: 80 * mebibyte, PidsLimit: 30, CpuShares: 2, NanoCpus: 25e7 };
    expect(await daemon.request("POST", "/containers/updated/update", body)).toMatchObject({ status: 200 });
    const files = ["memory.max", "memory.swap.max", "pids.max", "cpu.weight", "cpu.max"];
    expect(await Promise.all(files.map((name) => file("updated", name)))).toEqual([
      ...[String(64 * mebibyte), String(16 * mebibyte), "30", "1", "25000 100000"],
    ]);
  });

  v2("a pause freezes the cgroup, and a paused container can be killed", async () => {
    await using _one = await running("frozen");
    await cli("pause", "frozen");
    expect(await file("frozen", "cgroup.freeze")).toBe("1");
    expect(await file("frozen", "cgroup.events")).toContain("frozen 1");
    await cli("unpause", "frozen");
    expect(await file("frozen", "cgroup.freeze")).toBe("0");
    await cli("pause", "frozen");
    expect((await cli("rm", "-f", "frozen")).code).toBe(0);
  });

  v2("a kill for memory is seen, also of a child that the container survives", async () => {
    await using _one = await running("hungry", "-m", "16m", "--memory-swap", "16m");
    const { code } = await cli("exec", "hungry", "sh", "-c", 'x=$(head -c 60000000 /dev/zero | tr "\\0" a); echo done');
    expect(code).toBe(137);
    expect((await cli("inspect", "hungry", "--format", "{{.State.Running}}")).stdout).toBe("true\n");
    await cli("stop", "-t", "0", "hungry");
    expect((await cli("inspect", "hungry", "--format", "{{.State.OOMKilled}}")).stdout).toBe("true\n");
  });

  v2("devices are allowed by a program of the kernel: a made node is refused, one that is given works", async () => {
    const made = await run("--cap-add", "MKNOD", busybox, "sh", "-c", "mknod /tmp/loop b 7 0 && head -c 1 /tmp/loop");
    expect(made.stderr).toContain("Operation not permitted");
    // Of /dev/kmsg: c 1 11, which no container has by itself.
    const rule = await run(
      "--device-cgroup-rule",
      "c 1:11 r",
      busybox,
      "sh",
      "-c",
      "mknod /tmp/kmsg c 1 11 && dd if=/tmp/kmsg bs=8192 count=1 2>/dev/null | wc -l",
    );
    expect(rule).toMatchObject({ code: 0, stderr: "" });
  });

  v2("processors to run on are discarded with a warning where there is no cpuset, as everything that the kernel cannot do", async () => {
    const { code, stderr } = await run("--cpuset-cpus", "0", busybox, "true");
    expect(code).toBe(0);
    expect(stderr).toBe(
      lackOf("cpuset") ? "WARNING: Your kernel does not support cpuset or the cgroup is not mounted. Cpuset discarded.\n" : "",
    );
  });

  v2("statistics come from its files, and need no field of version 1", async () => {
    await using _one = await running("counted", "-m", "64m", "--pids-limit", "20");
    await cli("exec", "counted", "sh", "-c", "head -c 8000000 /dev/zero > /dev/shm/x");
    const { body } = await daemon.request("GET", "/v1.51/containers/counted/stats?stream=false");
    const { memory_stats, pids_stats, cpu_stats } = body as ContainerStatsResponse;
    expect(memory_stats?.usage).toBeGreaterThan(8_000_000);
    expect(memory_stats).toMatchObject({ limit: 64 * mebibyte });
    expect(memory_stats?.max_usage).toBeUndefined();
    expect(Object.keys(memory_stats?.stats ?? {})).toEqual(expect.arrayContaining(["anon", "file", "inactive_file", "shmem"]));
    expect(pids_stats).toEqual({ current: 1, limit: 20 });
    expect(cpu_stats?.cpu_usage?.percpu_usage).toBeUndefined();
    expect(cpu_stats?.cpu_usage?.total_usage).toBeGreaterThan(0);
  });
});
