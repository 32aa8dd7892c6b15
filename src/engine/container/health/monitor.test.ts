import { describe, expect, test } from "bun:test";
import { deferred } from "#lib/async.ts";
import { systemClock } from "#lib/clock.ts";
import { silentLogger } from "#lib/log.ts";
import type { ContainerConfig, HostConfig } from "#types/engine-api/index.ts";
import type { ContainerRecord, ContainerState } from "#types/record/container.ts";
import type { EventListener } from "../../event/bus.ts";
import { initialState } from "../state.ts";
import { HealthMonitor, type RunCheck } from "./monitor.ts";

/** Waits for what takes a few intervals of ten milliseconds. */
async function until(condition: () => boolean): Promise<void> {
  for (let round = 0; !condition(); round++) {
    if (round === 500) throw new Error(`the condition does not hold: ${condition.toString()}`);
    await Bun.sleep(5);
  }
}

const id = "a".repeat(64);
const process = { pid: 1, pidStartTicks: 1, monitorPid: 1, monitorStartTicks: 1 };
const up = (status: "running" | "paused"): ContainerState => ({ ...initialState, status, process });

/** A container with a check every 10 ms, and a daemon around it whose checks end as the test says. */
function machine(health: NonNullable<ContainerConfig["Healthcheck"]>, host: HostConfig = {}) {
  let record: ContainerRecord = {
    ...{ id, name: "web", createdAt: "", imageId: "", platform: { os: "linux", architecture: "amd64" } },
    config: { Healthcheck: { Test: ["CMD", "check"], Interval: 10e6, ...health } },
    hostConfig: host,
    ...{
      networks: {},
      mounts: [],
      layers: [],
      state: up("running"),
      restartCount: 0,
      stoppedByUser: false,
      volatile: false,
      logDriver: "",
    },
  };
  const listeners = new Set<EventListener>();
  const actions: string[] = [];
  const writes: (string | undefined)[] = [];
  const ended: string[] = [];
  const tell = (action: string, actorId = id): void => {
    actions.push(action);
    for (const listener of listeners) listener({ type: "container", action, actorId, attributes: {}, scope: "local", timeNano: "0" });
  };
  const monitor = new HealthMonitor({
    containers: {
      all: () => [record].values(),
      peek: (one) => (one === id ? record : undefined),
      note: (_, also) => {
        record = { ...record, ...also };
        writes.push(also.health?.status);
        return Promise.resolve();
      },
    },
    events: {
      emit: (_type, action) => tell(action),
      listen: (listener) => {
        listeners.add(listener);
        return () => listeners.delete(listener);
      },
    },
    clock: systemClock,
    log: silentLogger,
    restartUnhealthy: (one) => {
      ended.push(one);
      return Promise.resolve();
    },
    ageOf: () => 0,
  });
  return {
    monitor,
    actions,
    writes,
    ended,
    tell,
    set: (also: Partial<ContainerRecord>) => (record = { ...record, ...also }),
    get health() {
      return monitor.of(record);
    },
  };
}

/** A check that ends with the next of these codes; the last one stays. */
function codes(...list: number[]): RunCheck & { runs: number } {
  const run = Object.assign(
    async () => {
      run.runs++;
      return { exitCode: (list.length > 1 ? list.shift() : list[0]) ?? 0, output: "said", timedOut: false };
    },
    { runs: 0 },
  );
  return run;
}

describe("HealthMonitor", () => {
  test("takes up what runs, and tells each change of status once", async () => {
    const one = machine({ Retries: 2 });
    one.monitor.begin(codes(1, 0, 0, 1, 1, 1, 0));
    expect(one.health).toMatchObject({ status: "starting" });
    await until(() => one.actions.length === 3);
    expect(one.actions).toEqual(["health_status: healthy", "health_status: unhealthy", "health_status: healthy"]);
    expect(one.writes).toEqual(["healthy", "unhealthy", "healthy"]);
    await one.monitor.close();
  });

  test("of a container that was healthy before, keeps the state", async () => {
    const one = machine({});
    one.set({ health: { status: "healthy", failingStreak: 0, log: [], restarts: 0 } });
    one.monitor.begin(codes(0));
    await until(() => (one.health?.log.length ?? 0) > 2);
    expect(one.actions).toEqual([]);
    await one.monitor.close();
    expect(one.writes).toEqual(["healthy"]);
  });

  test("a check runs alone: the next begins an interval after its end", async () => {
    const one = machine({});
    const gate = deferred<void>();
    let runs = 0;
    one.monitor.begin(async () => {
      runs++;
      await gate.promise;
      return { exitCode: 0, output: "", timedOut: false };
    });
    await Bun.sleep(60);
    expect(runs).toBe(1);
    gate.resolve();
    await until(() => runs > 1);
    await one.monitor.close();
  });

  test("tells of a timeout with what was said until then, and of what cannot be run", async () => {
    const one = machine({ Timeout: 2e9 });
    let runs = 0;
    one.monitor.begin(async (_id, _command, { timeoutMilliseconds, outputBytes }) => {
      expect([timeoutMilliseconds, outputBytes]).toEqual([2000, 4096]);
      if (++runs === 1) return { exitCode: 137, output: "begin\n", timedOut: true };
      if (runs === 2) return { exitCode: 137, output: "", timedOut: true };
      throw new Error("no such program");
    });
    await until(() => (one.health?.log.length ?? 0) >= 3);
    expect(one.health?.log.slice(0, 3).map(({ exitCode, output }) => [exitCode, output])).toEqual([
      [-1, "Health check exceeded timeout (2s): begin\n"],
      [-1, "Health check exceeded timeout (2s)"],
      [-1, "no such program"],
    ]);
    await one.monitor.close();
  });

  test("a pause ends the check that runs, whose result does not count", async () => {
    const one = machine({});
    let aborted = false;
    one.monitor.begin(async (_id, _command, _limits, signal) => {
      await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve()));
      aborted = true;
      return { exitCode: 0, output: "", timedOut: false };
    });
    await Bun.sleep(40);
    one.set({ state: up("paused") });
    one.tell("pause");
    await until(() => aborted);
    await Bun.sleep(20);
    expect(one.health).toMatchObject({ status: "unhealthy", failingStreak: 0, log: [] });
    await one.monitor.close();
  });

  test("a container without a check, or a stranger, costs nothing", async () => {
    const one = machine({ Test: ["NONE"] });
    const run = codes(0);
    one.monitor.begin(run);
    one.tell("start");
    one.tell("start", "stranger");
    one.tell("die", "stranger");
    await Bun.sleep(40);
    expect([run.runs, one.health, one.writes]).toEqual([0, undefined, []]);
    await one.monitor.close();
  });

  test("on-unhealthy:N ends it N times in a row; a start by somebody, or health, begins anew", async () => {
    const one = machine({ Retries: 1 }, { RestartPolicy: { Name: "on-unhealthy", MaximumRetryCount: 2 } });
    one.monitor.begin(codes(1));
    const restarted = (restartCount: number): void => {
      one.tell("die");
      one.set({ restartCount });
      one.tell("start");
    };
    await until(() => one.ended.length === 1);
    restarted(1);
    await until(() => one.ended.length === 2);
    restarted(2);
    await until(() => (one.health?.failingStreak ?? 0) > 2);
    expect(one.ended.length).toBe(2);
    restarted(0);
    await until(() => one.ended.length === 3);
    await one.monitor.close();
  });

  test("after its end nothing is checked", async () => {
    const one = machine({});
    const run = codes(0);
    one.monitor.begin(run);
    await until(() => run.runs > 0);
    one.set({ state: { ...initialState, status: "exited" } });
    one.tell("die");
    await Bun.sleep(20);
    const { runs } = run;
    await Bun.sleep(40);
    expect(run.runs).toBe(runs);
    expect(one.health?.status).toBe("unhealthy");
    await one.monitor.close();
  });
});
