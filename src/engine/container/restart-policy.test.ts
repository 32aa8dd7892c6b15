import { expect, test } from "bun:test";
import { decideRestart, restartsWhenUnhealthy, startsWithDaemon, validateRestartPolicy } from "./restart-policy.ts";

const ended = { exitCode: 1, stoppedByUser: false, endedUnhealthy: false, restartCount: 0, ranMilliseconds: 5, previousDelay: 0 };

test("the delay doubles from 100 ms to a minute, and a long run puts it back", () => {
  const delays: number[] = [];
  for (let previousDelay = 0; delays.length < 12; previousDelay = delays.at(-1) ?? 0)
    delays.push(decideRestart({ Name: "always" }, { ...ended, previousDelay }).delayMilliseconds);
  expect(delays).toEqual([100, 200, 400, 800, 1600, 3200, 6400, 12800, 25600, 51200, 60000, 60000]);
  expect(decideRestart({ Name: "always" }, { ...ended, previousDelay: 6400, ranMilliseconds: 10_000 }).delayMilliseconds).toBe(100);
});

test("on-failure:N restarts exactly N times, and never after success", () => {
  const policy = { Name: "on-failure", MaximumRetryCount: 2 };
  expect([0, 1, 2].map((restartCount) => decideRestart(policy, { ...ended, restartCount }).restart)).toEqual([true, true, false]);
  expect(decideRestart(policy, { ...ended, exitCode: 0 }).restart).toBe(false);
});

test("nobody's policy goes before a stop by the user", () => {
  for (const Name of ["always", "unless-stopped", "on-failure"])
    expect(decideRestart({ Name }, { ...ended, stoppedByUser: true }).restart).toBe(false);
});

const left = { stoppedByUser: false, interrupted: false, exitCode: 0 };

test("always comes back with the daemon, unless-stopped only if nobody stopped it", () => {
  expect(startsWithDaemon({ Name: "always" }, { ...left, stoppedByUser: true })).toBe(true);
  expect(startsWithDaemon({ Name: "unless-stopped" }, { ...left, stoppedByUser: true })).toBe(false);
  expect(startsWithDaemon({ Name: "unless-stopped" }, left)).toBe(true);
  expect(startsWithDaemon({ Name: "no" }, { ...left, exitCode: 1 })).toBe(false);
});

test("on-unhealthy comes back with the daemon when its end was not its own", () => {
  const policy = { Name: "on-unhealthy" };
  expect(startsWithDaemon(policy, { ...left, interrupted: true })).toBe(true);
  expect(startsWithDaemon(policy, { ...left, exitCode: 1 })).toBe(false);
  expect(startsWithDaemon(policy, { ...left, interrupted: true, stoppedByUser: true })).toBe(false);
});

test("on-unhealthy starts again what was ended for being unhealthy, and nothing else", () => {
  const policy = { Name: "on-unhealthy" };
  expect(decideRestart(policy, { ...ended, endedUnhealthy: true }).restart).toBe(true);
  expect(decideRestart(policy, { ...ended, endedUnhealthy: true, stoppedByUser: true }).restart).toBe(false);
  expect(decideRestart(policy, ended).restart).toBe(false);
});

test("on-unhealthy:N ends a container N times in a row", () => {
  const policy = { Name: "on-unhealthy", MaximumRetryCount: 2 };
  expect([0, 1, 2].map((restarts) => restartsWhenUnhealthy(policy, restarts))).toEqual([true, true, false]);
  expect(restartsWhenUnhealthy({ Name: "on-unhealthy" }, 1000)).toBe(true);
  expect(restartsWhenUnhealthy({ Name: "always" }, 0)).toBe(false);
});

test.each([
  [{ Name: "on-unhealthy" }, true],
  [{ Name: "on-unhealthy", MaximumRetryCount: 3 }, true],
  [{ Name: "on-unhealthy", MaximumRetryCount: -1 }, false],
  [{ Name: "always", MaximumRetryCount: 1 }, false],
  [{ Name: "sometimes" }, false],
])("a policy of %j is good: %p", (policy, isGood) => {
  const validate = () => validateRestartPolicy(policy);
  if (isGood) validate();
  else expect(validate).toThrow("invalid restart policy");
});
