import { expect, test } from "bun:test";
import { decideRestart, startsWithDaemon } from "./restart-policy.ts";

const ended = { exitCode: 1, stoppedByUser: false, restartCount: 0, ranMilliseconds: 5, previousDelay: 0 };

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

test("always comes back with the daemon, unless-stopped only if nobody stopped it", () => {
  expect(startsWithDaemon({ Name: "always" }, true, 0)).toBe(true);
  expect(startsWithDaemon({ Name: "unless-stopped" }, true, 0)).toBe(false);
  expect(startsWithDaemon({ Name: "unless-stopped" }, false, 0)).toBe(true);
  expect(startsWithDaemon({ Name: "no" }, false, 1)).toBe(false);
});
