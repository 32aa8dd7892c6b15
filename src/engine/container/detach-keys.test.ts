import { expect, test } from "bun:test";
import { DetachKeys, parseDetachKeys } from "./detach-keys.ts";

const feedAll = (keys: DetachKeys, ...chunks: number[][]) => chunks.map((chunk) => keys.feed(Uint8Array.from(chunk)));

test("the keys are found across chunks, and what came before is passed on", () => {
  const [first, second] = feedAll(new DetachKeys(parseDetachKeys("")), [97, 16], [17]);
  expect([...(first?.pass ?? [])]).toEqual([97]);
  expect(second).toMatchObject({ detached: true });
});

test("a beginning that does not go on is passed on whole", () => {
  const [first, second] = feedAll(new DetachKeys(parseDetachKeys("ctrl-p,ctrl-q")), [16], [16, 98]);
  expect([...(first?.pass ?? []), ...(second?.pass ?? [])]).toEqual([16, 16, 98]);
  expect(second?.detached).toBe(false);
});

test("letters and control keys can be mixed", () => {
  expect([...parseDetachKeys("a,ctrl-@,ctrl-z")]).toEqual([97, 0, 26]);
  expect(() => parseDetachKeys("ctrl-")).toThrow("Invalid detach keys (ctrl-) provided");
});
