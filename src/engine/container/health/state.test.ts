import { describe, expect, test } from "bun:test";
import type { ContainerHealth } from "#types/record/container.ts";
import { healthCheckOf, type HealthCheck } from "./check.ts";
import { applyResult, hasTurnedUnhealthy, healthAtStart, healthUnchecked, nextDelay } from "./state.ts";

const check: HealthCheck = {
  command: ["true"],
  intervalMilliseconds: 1000,
  timeoutMilliseconds: 500,
  startPeriodMilliseconds: 10_000,
  startIntervalMilliseconds: 100,
  retries: 2,
};

const result = (exitCode: number, output = "") => ({ startedAt: "", endedAt: "", exitCode, output });

/** Applies exit codes in turn, `[code, age]` each, and tells status and streak after every one. */
function run(results: readonly (readonly [code: number, age: number])[], start = healthAtStart(undefined, 0)): string[] {
  let health: ContainerHealth = start;
  return results.map(([code, age]) => {
    health = applyResult(health, result(code), check, age);
    return `${health.status} ${health.failingStreak}`;
  });
}

describe("health of a container", () => {
  test("is healthy with the first success, also in the start period", () => {
    expect(run([[0, 5]])).toEqual(["healthy 0"]);
  });

  test("failures in the start period do not count while it has never been healthy", () => {
    expect(
      run([
        [1, 1],
        [1, 9999],
        [1, 10_000],
        [1, 11_000],
      ]),
    ).toEqual(["starting 0", "starting 0", "starting 1", "unhealthy 2"]);
  });

  test("a failure in the start period after a success counts", () => {
    expect(
      run([
        [0, 1],
        [1, 2],
        [137, 3],
        [-1, 4],
        [0, 5],
      ]),
    ).toEqual(["healthy 0", "healthy 1", "unhealthy 2", "unhealthy 3", "healthy 0"]);
  });

  test("the last five results are kept, also over a restart", () => {
    let health = healthAtStart(undefined, 0);
    for (let index = 0; index < 7; index++) health = applyResult(health, result(1, String(index)), check, 20_000);
    expect(health.log.map(({ output }) => output)).toEqual(["2", "3", "4", "5", "6"]);
    expect(healthAtStart(health, 1)).toMatchObject({ status: "starting", failingStreak: 0, restarts: 1, log: health.log });
  });

  test("being healthy ends a row of restarts; being unhealthy does not", () => {
    const restarted = healthAtStart(undefined, 3);
    expect(applyResult(restarted, result(1), check, 20_000).restarts).toBe(3);
    expect(applyResult(restarted, result(0), check, 20_000).restarts).toBe(0);
  });

  test("a paused container counts as unhealthy, and turns so only by failures afterwards", () => {
    const paused = healthUnchecked(applyResult(healthAtStart(undefined, 0), result(0), check, 1));
    const once = applyResult(paused, result(1), check, 1);
    const twice = applyResult(once, result(1), check, 1);
    expect([paused, once, twice].map(({ status, failingStreak }) => `${status} ${failingStreak}`)).toEqual([
      "unhealthy 0",
      "unhealthy 1",
      "unhealthy 2",
    ]);
    expect([hasTurnedUnhealthy(paused, once, check), hasTurnedUnhealthy(once, twice, check)]).toEqual([false, true]);
    expect(hasTurnedUnhealthy(twice, applyResult(twice, result(1), check, 1), check)).toBe(false);
    expect(applyResult(paused, result(0), check, 1).status).toBe("healthy");
  });

  test("checks follow each other by the start interval until the start period is over or it is healthy", () => {
    const starting = healthAtStart(undefined, 0);
    const healthy = applyResult(starting, result(0), check, 1);
    expect([
      nextDelay(starting, check, 0),
      nextDelay(starting, check, 9999),
      nextDelay(starting, check, 10_000),
      nextDelay(healthy, check, 1),
    ]).toEqual([100, 100, 1000, 1000]);
  });
});

describe("healthCheckOf()", () => {
  test.each([
    [{}],
    [{ Healthcheck: null }],
    [{ Healthcheck: { Interval: 1e9 } }],
    [{ Healthcheck: { Test: [] } }],
    [{ Healthcheck: { Test: ["NONE"] } }],
    [{ Healthcheck: { Test: ["FOO", "x"] } }],
  ])("%j checks nothing", (config) => {
    expect(healthCheckOf(config)).toBeUndefined();
  });

  test("zeros and missing values are Docker's defaults", () => {
    expect(healthCheckOf({ Healthcheck: { Test: ["CMD", "a", "b"], Interval: 0 } })).toEqual({
      command: ["a", "b"],
      intervalMilliseconds: 30_000,
      timeoutMilliseconds: 30_000,
      startPeriodMilliseconds: 0,
      startIntervalMilliseconds: 5000,
      retries: 3,
    });
  });

  test("CMD-SHELL runs in the image's shell", () => {
    expect(healthCheckOf({ Healthcheck: { Test: ["CMD-SHELL", "a && b"] } })?.command).toEqual(["/bin/sh", "-c", "a && b"]);
    expect(healthCheckOf({ Healthcheck: { Test: ["CMD-SHELL", "a"] }, Shell: ["/bin/ash", "-ec"] })?.command).toEqual([
      "/bin/ash",
      "-ec",
      "a",
    ]);
  });

  test("an interval that no timer can hold is as long as one can", () => {
    expect(healthCheckOf({ Healthcheck: { Test: ["CMD", "a"], Interval: 9e18 } })?.intervalMilliseconds).toBe(2 ** 31 - 1);
  });
});
