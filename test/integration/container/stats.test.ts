import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import type { ContainerStatsResponse } from "../../../src/types/engine-api/index.ts";
import { endClean } from "../../support/audit.ts";
import { startDaemon, type TestDaemon } from "../../support/daemon.ts";
import { docker } from "../../support/docker.ts";
import { lackOf, needs } from "../../support/host-has.ts";
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

async function running(name: string, flags: readonly string[], ...command: string[]): Promise<AsyncDisposable> {
  const { code, stderr } = await cli("run", "-d", "--name", name, ...flags, busybox, ...command);
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  return { [Symbol.asyncDispose]: async () => void (await cli("rm", "-f", name)) };
}

async function statsOf(name: string, query = "stream=false"): Promise<ContainerStatsResponse> {
  const { status, body } = await daemon.request("GET", `/v1.51/containers/${name}/stats?${query}`);
  expect(status).toBe(200);
  return body as ContainerStatsResponse;
}

/** The first `count` objects of a stream; the connection is broken off then. */
async function firstOf(name: string, count: number): Promise<ContainerStatsResponse[]> {
  const leaving = new AbortController();
  const response = await fetch(`http://d/v1.51/containers/${name}/stats`, { unix: daemon.socket, signal: leaving.signal });
  let text = "";
  const decoder = new TextDecoder();
  for await (const chunk of response.body ?? []) {
    text += decoder.decode(chunk, { stream: true });
    if (text.split("\n").length > count) break;
  }
  leaving.abort();
  return text
    .split("\n")
    .slice(0, count)
    .map((line) => JSON.parse(line) as ContainerStatsResponse);
}

describe("OBS-09: stats", () => {
  test("tell processors, memory, processes and the container's own network", async () => {
    const flags = ["-m", "64m", "--pids-limit", "50"];
    await using _one = await running("busy", flags, "sh", "-c", "head -c 8000000 /dev/zero > /dev/shm/x; while :; do :; done");
    await Bun.sleep(300);
    const stats = await statsOf("busy");
    expect(stats).toMatchObject({
      name: "/busy",
      num_procs: 0,
      pids_stats: { limit: 50 },
      memory_stats: { limit: 64 * 2 ** 20 },
      cpu_stats: { online_cpus: navigator.hardwareConcurrency },
    });
    const used = (stats.cpu_stats?.cpu_usage?.total_usage ?? 0) - (stats.precpu_stats?.cpu_usage?.total_usage ?? 0);
    expect(used).toBeGreaterThan(1e8); // of a second that was all its own on an idle machine
    expect(stats.memory_stats?.usage).toBeGreaterThan(8_000_000);
    expect(stats.pids_stats?.current).toBeGreaterThanOrEqual(1);
    expect(Object.keys(stats.networks ?? {})).toEqual(lackOf("nftables") ? [] : ["eth0"]);
    expect(Object.keys(stats.memory_stats?.stats ?? {})).toContain("inactive_file");
  }, 30_000);

  needs("nftables")(
    "count the bytes that went through its interface",
    async () => {
      await using _server = await running("server", [], "sh", "-c", "head -c 300000 /dev/zero > /tmp/f; httpd -f -h /tmp");
      const address = (await cli("inspect", "server", "--format", "{{.NetworkSettings.IPAddress}}")).stdout.trim();
      await until(async () => (await cli("run", "--rm", busybox, "wget", "-q", "-O", "/dev/null", `http://${address}/f`)).code === 0);
      const { networks } = await statsOf("server", "stream=false&one-shot=true");
      expect(networks?.["eth0"]?.tx_bytes).toBeGreaterThan(300_000);
    },
    30_000,
  );

  needs("nftables")(
    "have no network where it is the host's or there is none, and the owner's where it is shared",
    async () => {
      await using _host = await running("on-host", ["--network", "host"], "sleep", "1000");
      await using _none = await running("on-none", ["--network", "none"], "sleep", "1000");
      await using _own = await running("owner", [], "sleep", "1000");
      await using _shared = await running("guest", ["--network", "container:owner"], "sleep", "1000");
      const networks = async (name: string) => Object.keys((await statsOf(name, "stream=false&one-shot=true")).networks ?? {});
      expect([await networks("on-host"), await networks("on-none"), await networks("guest")]).toEqual([[], [], ["eth0"]]);
    },
    30_000,
  );

  test("come once a second, each with the one before", async () => {
    await using _one = await running("stream", [], "sleep", "1000");
    const [first, second, third] = await firstOf("stream", 3);
    expect(first?.preread).toBe("0001-01-01T00:00:00Z");
    expect(second?.preread).toBe(first?.read ?? "");
    expect(third?.preread).toBe(second?.read ?? "");
    expect(Date.parse(third?.read ?? "") - Date.parse(second?.read ?? "")).toBeGreaterThan(500);
  }, 30_000);

  test("of a container that does not run are empty; its removal ends the stream", async () => {
    await cli("create", "--name", "idle", busybox, "true");
    const stats = await statsOf("idle");
    expect(stats).toMatchObject({ name: "/idle", read: "0001-01-01T00:00:00Z", pids_stats: {}, memory_stats: {}, storage_stats: {} });
    expect(stats.networks).toBeUndefined();
    const whole = fetch("http://d/v1.51/containers/idle/stats", { unix: daemon.socket }).then((response) => response.text());
    await Bun.sleep(1500);
    await cli("rm", "idle");
    const lines = (await whole).trim().split("\n");
    expect(lines.length).toBeGreaterThanOrEqual(2);
    expect((JSON.parse(lines[0] ?? "") as ContainerStatsResponse).name).toBe("/idle");
  }, 30_000);

  test("an end and a new start are seen by one stream", async () => {
    await using _one = await running("restarted", [], "sleep", "1000");
    const seen = firstOf("restarted", 6);
    await Bun.sleep(1200);
    await cli("stop", "-t", "0", "restarted");
    await Bun.sleep(1500);
    await cli("start", "restarted");
    const pids = (await seen).map(({ pids_stats }) => pids_stats?.current ?? 0);
    expect(pids[0]).toBe(1);
    expect(pids).toContain(0);
    expect(pids.at(-1)).toBe(1);
  }, 30_000);

  test("refuse a stream of one, and a container that is not there", async () => {
    expect(await daemon.request("GET", "/containers/x/stats?one-shot=1")).toMatchObject({
      status: 400,
      body: { message: "cannot have stream=true and one-shot=true" },
    });
    expect(await daemon.request("GET", "/containers/x/stats")).toMatchObject({ status: 404, body: { message: "No such container: x" } });
  });

  test("of many clients that leave leave nothing behind", async () => {
    await using _one = await running("watched", [], "sleep", "1000");
    const descriptors = (): number => Array.from(new Bun.Glob("*").scanSync({ cwd: `/proc/${daemon.pid}/fd`, onlyFiles: false })).length;
    const round = () => Promise.all(Array.from({ length: 40 }, () => firstOf("watched", 2)));
    await round(); // what the daemon opens once and keeps
    await Bun.sleep(1000);
    const before = descriptors();
    for (let count = 0; count < 3; count++) await round();
    await until(() => descriptors() <= before + 4);
  }, 30_000);

  test("docker stats and our own print the same table", async () => {
    await using _one = await running("shown", ["-m", "32m", "--network", "none"], "sleep", "1000");
    await Bun.sleep(500);
    const theirs = await cli("stats", "--no-stream", "--format", "{{.Name}} {{.CPUPerc}} {{.PIDs}} {{.NetIO}}", "shown");
    expect(theirs).toEqual({ code: 0, stderr: "", stdout: "shown 0.00% 1 0B / 0B\n" });
    const main = new URL("../../../src/main.ts", import.meta.url).pathname;
    const own = Bun.spawnSync([process.execPath, main, "-H", daemon.host, "stats", "--no-stream", "shown"]);
    const [header = "", row = ""] = own.stdout.toString().split("\n");
    expect(header.split(/ {2,}/)).toEqual(["CONTAINER ID", "NAME", "CPU %", "MEM USAGE / LIMIT", "MEM %", "NET I/O", "BLOCK I/O", "PIDS"]);
    expect(row).toMatch(/^[0-9a-f]{12} +shown +0\.00% +[\d.]+\w+ \/ 32MiB +\d\.\d\d% +0B \/ 0B +0B \/ 0B +1$/);
  }, 30_000);
});
