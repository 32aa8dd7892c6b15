import { describe, expect, test } from "bun:test";
import { rmSync, statfsSync, writeFileSync } from "node:fs";
import { WorkerLogHub } from "#drivers/log/hub.ts";
import type { LogLimits } from "#drivers/log/protocol.ts";
import type { LogConfig } from "#drivers/log/types.ts";
import { silentLogger } from "#lib/log.ts";
import { until } from "../../support/until.ts";
import { ConmonContainer } from "./conmon.ts";
import { loggedText } from "./logged.ts";

const diskBytes = 64 << 20;
const lines = 200_000;
/** About 2 s of output, so that the disk is full in the middle of it. */
const script = `i=0; while [ $i -lt 100 ]; do seq $((i*${lines / 100}+1)) $((i*${lines / 100}+${lines / 100})); usleep 10000; i=$((i+1)); done`;
const expected = Array.from({ length: lines }, (_, index) => `${index + 1}\n`).join("");

function configOf({ id: containerId, spoolFolder, logsFolder }: ConmonContainer): LogConfig {
  return { containerId, spoolFolder, logsFolder, driver: "json-file", options: {}, attributes: {}, tty: false };
}

/** Takes all space that is left; returns how to give it back. */
function fill(container: ConmonContainer): () => void {
  const path = `${container.folder}/disk/others`;
  const { bavail, bsize } = statfsSync(`${container.folder}/disk`);
  try {
    writeFileSync(path, Buffer.alloc(bavail * bsize + (1 << 20)));
  } catch {
    // ENOSPC: what was written fills the disk
  }
  return () => rmSync(path);
}

async function run(limits: Partial<LogLimits>, body: (container: ConmonContainer, hub: WorkerLogHub) => Promise<void>): Promise<void> {
  const hub = new WorkerLogHub(silentLogger, limits);
  try {
    await using container = new ConmonContainer(diskBytes);
    await hub.open(configOf(container));
    await container.create(script);
    hub.setValve(container.id, container.attachSocket);
    container.start();
    await body(container, hub);
  } finally {
    await hub.close();
  }
}

/** Entries as `logs` shows them: a line that is cut has to wait for its end. */
async function entryCount(container: ConmonContainer, hub: WorkerLogHub): Promise<number> {
  let count = 0;
  const query = { stdout: true, stderr: true, follow: false };
  for await (const _ of hub.read(configOf(container), query, new AbortController().signal)) count++;
  return count;
}

describe("on a full disk", () => {
  test("a container waits, and goes on without a loss when there is space (G2)", async () => {
    await run({}, async (container, hub) => {
      await until(() => hub.offset(container.id) > 500_000);
      const giveBack = fill(container);
      // Held: neither ends it nor grows its spool.
      let size = -1;
      await until(async () => {
        const before = size;
        size = hub.offset(container.id);
        await Bun.sleep(300);
        return size === before;
      });
      expect(container.ended).toBe(false);
      giveBack();
      await container.exit();
      await hub.finish(container.id);
      expect(loggedText(container.logsFolder, "stdout") === expected).toBe(true);
      expect(loggedText(container.logsFolder, "stderr")).toBe("");
    });
  }, 60_000);

  test("a container runs on when it has waited long enough, and the log tells what it lacks (G2)", async () => {
    await run({ diskFullWaitMilliseconds: 300, freeStepBytes: 1 << 20 }, async (container, hub) => {
      await until(() => hub.offset(container.id) > 500_000);
      const giveBack = fill(container);
      const size = hub.offset(container.id);
      await until(() => hub.offset(container.id) > size + 4_000_000, 30_000);
      giveBack();
      await container.exit();
      await hub.finish(container.id);
      const logged = loggedText(container.logsFolder, "stdout");
      const mark = loggedText(container.logsFolder, "stderr");
      expect(mark).toMatch(/^\d+ bytes of log lost: disk full\n$/);
      const numbers = logged.split("\n").filter(Boolean).map(Number);
      const gaps = numbers.filter((number, index) => index > 0 && number !== (numbers[index - 1] ?? 0) + 1);
      expect(numbers[0]).toBe(1);
      expect(numbers.at(-1)).toBe(lines);
      // One gap, and at most one line shortened where it begins.
      expect(gaps.length).toBeLessThanOrEqual(2);
      expect(numbers.length).toBeLessThan(lines);
    });
  }, 60_000);

  test("an exit is told, and the log is readable (G2, G5)", async () => {
    await run({}, async (container, hub) => {
      await until(() => hub.offset(container.id) > 500_000);
      const giveBack = fill(container);
      const count = await entryCount(container, hub);
      await Bun.sleep(300);
      hub.releaseValve(container.id);
      container.kill();
      expect(await container.exit()).toBe(137);
      const start = performance.now();
      await hub.finish(container.id);
      expect(performance.now() - start).toBeLessThan(5000);
      giveBack();
      expect(await entryCount(container, hub)).toBeGreaterThanOrEqual(count);
      // What could not be told then is told when the container runs again.
      await hub.open(configOf(container));
      await hub.finish(container.id);
      expect(loggedText(container.logsFolder, "stderr")).toMatch(/^\d+ bytes of log lost: disk full\n$/);
    });
  }, 60_000);
});
