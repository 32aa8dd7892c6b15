import { expect, test } from "bun:test";
import { ageOfProcess } from "./age.ts";
import { processStartTicks } from "./identity.ts";
import { descendants, killDescendants } from "./tree.ts";

test("killDescendants() kills what a process has started, and what that has started", async () => {
  const child = Bun.spawn(["sh", "-c", "sh -c 'sleep 1000; true' & sleep 1000 & wait; exit 7"]);
  while (descendants(child.pid).length < 3) await Bun.sleep(5);
  const pids = descendants(child.pid);
  killDescendants(child.pid);
  expect(await child.exited).toBe(7);
  while (pids.some((pid) => processStartTicks(pid) !== undefined)) await Bun.sleep(5);
});

test("ageOfProcess() tells how long a process runs", async () => {
  await using child = Bun.spawn(["sleep", "1000"]);
  const ticks = processStartTicks(child.pid) ?? 0;
  expect(ageOfProcess(ticks)).toBeLessThan(3000);
  await Bun.sleep(60);
  expect(ageOfProcess(ticks)).toBeGreaterThan(40);
  child.kill("SIGKILL");
});
