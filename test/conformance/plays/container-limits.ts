import { play, type PlayBook } from "../play.ts";
import type { Stage } from "../stage.ts";

const mebibyte = 2 ** 20;

function update(t: Stage, id: string, body: unknown) {
  return t.call("POST", `/containers/${id}/update`, { body, values: ["Warnings"] });
}

const limits = [
  "Memory",
  "MemorySwap",
  "MemoryReservation",
  "CpuShares",
  "CpuPeriod",
  "CpuQuota",
  "NanoCpus",
  "CpusetCpus",
  "PidsLimit",
].map((field) => `HostConfig.${field}`);
const see = (t: Stage, id: string) => t.call("GET", `/containers/${id}/json`, { only: [...limits, "HostConfig.RestartPolicy"] });

/** Changing what a container may use, and seeing what it uses. */
export const containerLimits: PlayBook = {
  noun: "container-limits",
  plays: [
    play("update of a running container", async (t) => {
      const id = await t.running({ HostConfig: { Memory: 64 * mebibyte } });
      await see(t, id);
      await update(t, id, {});
      await update(t, id, { Memory: 32 * mebibyte });
      await update(t, id, { Memory: 256 * mebibyte });
      await update(t, id, { Memory: 256 * mebibyte, MemorySwap: 512 * mebibyte });
      await update(t, id, { MemoryReservation: 128 * mebibyte });
      await update(t, id, { CpuShares: 512, CpuPeriod: 50_000, CpuQuota: 25_000 });
      await update(t, id, { NanoCpus: 5e8 });
      await update(t, id, { CpusetCpus: "0", PidsLimit: 50 });
      await see(t, id);
      await update(t, id, { PidsLimit: -1 });
      await update(t, id, { RestartPolicy: { Name: "on-failure", MaximumRetryCount: 3 } });
      await update(t, id, { KernelMemory: 5e7, Devices: [{ PathOnHost: "/dev/null" }] });
      await see(t, id);
      await t.events("update");
    }),
    play("update of containers that do not run", async (t) => {
      const created = await t.container({ HostConfig: { Memory: 64 * mebibyte, NanoCpus: 5e8 } });
      await update(t, created, { Memory: 16 * mebibyte });
      await update(t, created, { CpuQuota: 5000 });
      await update(t, created, { CpuPeriod: 5000 });
      await see(t, created);
      const ended = await t.ended(["true"]);
      await update(t, ended, { RestartPolicy: { Name: "always" } });
      await see(t, ended);
    }),
    play("update refuses", async (t) => {
      const id = await t.container();
      for (const body of [
        { Memory: 1000 },
        { Memory: 16 * mebibyte },
        { Memory: 16 * mebibyte, MemorySwap: 8 * mebibyte },
        { MemoryReservation: 1000 },
        { Memory: 16 * mebibyte, MemoryReservation: 32 * mebibyte, MemorySwap: -1 },
        { MemorySwappiness: 101 },
        { NanoCpus: 9e14 },
        { NanoCpus: 1e8, CpuPeriod: 5000 },
        { CpuPeriod: 10 },
        { CpuQuota: 10 },
        { CpusetCpus: "900" },
        { CpusetCpus: "x" },
        { CpusetMems: "x" },
        { RestartPolicy: { Name: "sometimes" } },
        { RestartPolicy: { Name: "on-failure", MaximumRetryCount: -1 } },
        { RestartPolicy: { Name: "always", MaximumRetryCount: 1 } },
        { RestartPolicy: { MaximumRetryCount: 1 } },
        { Memory: "16m" },
        "x",
      ])
        await update(t, id, body);
      await update(t, "gantry-missing", {});
      await update(t, "gantry-missing", { Memory: 1000 });
      await see(t, id);
    }),
    play("update warns", async (t) => {
      const id = await t.container();
      await update(t, id, { OomKillDisable: true });
    }),
    play("update and containers that are removed after their end", async (t) => {
      const id = await t.running({ HostConfig: { AutoRemove: true } });
      await update(t, id, { RestartPolicy: { Name: "always" } });
      await update(t, id, { RestartPolicy: { Name: "no" } });
    }),
    play("docker update", async (t) => {
      const id = await t.running({}, t.name("one"));
      await t.docker("update", t.name("one"));
      await t.docker("update", "--restart", "unless-stopped", "--pids-limit", "20", t.name("one"), t.name("missing"));
      await t.docker("update", "--restart", "sometimes", t.name("one"));
      await t.docker("update", "--restart", "on-failure:x", t.name("one"));
      await t.docker("update", "--cpus", "0.5", "-m", "32m", "--memory-swap", "64m", t.name("one"));
      await t.docker("update", "-m", "128m", t.name("one"));
      await see(t, id);
    }),
    play("stats", async (t) => {
      const id = await t.running({ HostConfig: { Memory: 64 * mebibyte, PidsLimit: 20 } });
      await t.call("GET", `/containers/${id}/stats?stream=false`, { values: ["num_procs", "pids_stats.limit", "memory_stats.limit"] });
      await t.call("GET", `/containers/${id}/stats?stream=0&one-shot=1`, { values: ["preread"] });
      await t.call("GET", `/containers/${id}/stats?one-shot=1`);
      await t.call("GET", `/containers/${id}/stats?stream=1&one-shot=1`);
      const created = await t.container();
      await t.call("GET", `/containers/${created}/stats?stream=false`, { values: ["read", "preread", "cpu_stats"] });
      await t.call("GET", `/containers/${created}/stats?stream=false&one-shot=true`);
      await t.call("GET", "/containers/gantry-missing/stats");
      await t.call("GET", "/containers/gantry-missing/stats?stream=false&one-shot=1");
    }),
    play("stats of other networks", async (t) => {
      for (const mode of ["host", "none"]) {
        const id = await t.running({ HostConfig: { NetworkMode: mode } });
        await t.call("GET", `/containers/${id}/stats?stream=false&one-shot=1`, { only: ["networks"] });
      }
    }),
    play("docker stats", async (t) => {
      const config = { HostConfig: { Memory: 64 * mebibyte, NetworkMode: "none" } };
      await t.running(config, t.name("on"));
      await t.container(config, { name: t.name("off") });
      const format = "{{.Container}} {{.Name}} {{.CPUPerc}} {{.NetIO}} {{.PIDs}}";
      await t.docker("stats", "--no-stream", "--format", format, t.name("on"), t.name("off"));
      await t.docker("stats", "--no-stream", t.name("off"));
      await t.docker("stats", "--no-stream", "--format", "json", t.name("off"));
      await t.docker("stats", "--no-stream", "--no-trunc", "--format", "table {{.ID}}\t{{.Name}}", t.name("off"));
      await t.docker("stats", "--no-stream", t.name("off"), t.name("missing"));
      await t.docker("stats", "--no-stream", "--format", "{{.Nonsense}}", t.name("off"));
    }),
  ],
};
