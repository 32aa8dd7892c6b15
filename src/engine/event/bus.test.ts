import { afterEach, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { MetadataStore } from "#drivers/metadata/store.ts";
import { silentLogger } from "#lib/log.ts";
import { EventBus } from "./bus.ts";

const folder = mkdtempSync(join(tmpdir(), "gantry-events-"));
afterEach(() => rmSync(folder, { recursive: true, force: true }));

async function actorsSince(bus: EventBus, sinceNano: bigint): Promise<string[]> {
  const seen = new Map<string, string>();
  for await (const { timeNano, actorId } of bus.past(sinceNano)) seen.set(timeNano, actorId);
  return [...seen.values()];
}

test("the past has what is written, what is being written and what is not written yet, in order and across a restart", async () => {
  const store = await MetadataStore.open(join(folder, "gantry.db"), silentLogger);
  const bus = new EventBus(store);
  const emit = (from: number, to: number): void => {
    for (let index = from; index < to; index++) bus.emit("container", "start", String(index), {});
  };
  const numbers = (from: number, to: number): string[] => Array.from({ length: to - from }, (_, index) => String(from + index));
  emit(0, 1500);
  await bus.flush();
  emit(1500, 1600);
  const writing = bus.flush();
  emit(1600, 1610);
  expect(await actorsSince(bus, 0n)).toEqual(numbers(0, 1610));
  await writing;
  const [, ...later] = await Array.fromAsync(bus.past(0n));
  expect((await actorsSince(bus, BigInt(later[998]?.timeNano ?? 0))).length).toBe(1610 - 999);
  await bus.flush();
  await store.close();

  const reopened = await MetadataStore.open(join(folder, "gantry.db"), silentLogger);
  expect(await actorsSince(new EventBus(reopened), 0n)).toEqual(numbers(0, 1610));
  const again = new EventBus(reopened);
  for (let index = 1610; index < 12_000; index++) again.emit("container", "start", String(index), {});
  await again.flush();
  expect(await actorsSince(again, 0n)).toEqual(numbers(2000, 12_000));
  await reopened.close();
}, 30_000);
