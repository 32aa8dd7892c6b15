import { describe, expect, test } from "bun:test";
import type { ContainerUsage } from "#drivers/runtime/usage.ts";
import { systemClock } from "#lib/clock.ts";
import { silentLogger } from "#lib/log.ts";
import type { ContainerRecord } from "#types/record/container.ts";
import { initialState } from "../state.ts";
import { StatsCollector } from "./collector.ts";

const id = "a".repeat(64);
const process = { pid: 1, pidStartTicks: 1, monitorPid: 1, monitorStartTicks: 1 };

/** A container whose processor time is the number of times that somebody has looked. */
function machine(host: ContainerRecord["hostConfig"] = {}) {
  let record: ContainerRecord | undefined = {
    ...{ id, name: "web", createdAt: "", imageId: "", platform: { os: "linux", architecture: "amd64" }, config: {}, hostConfig: host },
    ...{ networks: {}, mounts: [], layers: [], restartCount: 0, stoppedByUser: false, volatile: false, logDriver: "" },
    state: { ...initialState, status: "running", process },
  };
  let reads = 0;
  const usage = (): ContainerUsage => ({
    cpu: { totalNanoseconds: ++reads, kernelNanoseconds: 0, userNanoseconds: 0, periods: 0, throttledPeriods: 0, throttledNanoseconds: 0 },
    memory: { usageBytes: 0, failures: 0, details: {} },
    io: {},
    pids: { current: 1 },
    interfaces: new Map(),
    host: { cpuNanoseconds: 0, processors: 1, memoryBytes: 0 },
  });
  const found = (): ContainerRecord => {
    if (!record) throw new Error("gone");
    return record;
  };
  const collector = new StatsCollector(
    {
      containers: { get: found, peek: () => record, lookup: () => record },
      clock: systemClock,
      log: silentLogger,
      usageOf: usage,
    },
    10,
  );
  return { collector, reads: () => reads, remove: () => (record = undefined) };
}

async function take(one: ReturnType<typeof machine>, count: number): Promise<(number | undefined)[]> {
  const seen: (number | undefined)[] = [];
  for await (const { usage } of one.collector.samples(id)) if (seen.push(usage?.cpu.totalNanoseconds) === count) break;
  return seen;
}

describe("StatsCollector", () => {
  test("reads once for all who listen, and not at all for nobody", async () => {
    const one = machine();
    expect(await Promise.all([take(one, 2), take(one, 2), take(one, 2)])).toEqual([
      [1, 2],
      [1, 2],
      [1, 2],
    ]);
    await Bun.sleep(50);
    expect(one.reads()).toBe(2);
  });

  test("samples end when the container is removed", async () => {
    const one = machine();
    const all = take(one, 100);
    await Bun.sleep(0); // the first is taken
    one.remove();
    expect(await all).toEqual([1]);
  });

  test("the host's interfaces are nobody's own", () => {
    expect(machine({ NetworkMode: "host" }).collector.sample(id).interfaces).toBeUndefined();
    expect(machine({ NetworkMode: "none" }).collector.sample(id).interfaces).toEqual([]);
  });
});
