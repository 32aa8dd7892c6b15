import { expect, test } from "bun:test";
import { closeSync, openSync, statSync, writeSync } from "node:fs";
import { join } from "node:path";
import { CursorFile, initialState, type CursorState } from "./cursor.ts";
import { temporaryFolder } from "./sample-spool.ts";

const state: CursorState = {
  ...initialState,
  segment: 3,
  offset: 4096,
  prefix: Buffer.from("rest\n"),
  unfinished: {
    stdout: { text: Buffer.from([0, 255, 10]), partTime: "2026-01-01T00:00:00Z", lastTime: "2026-01-01T00:00:01Z" },
    stderr: initialState.unfinished.stderr,
  },
};

test("a cursor gives back what was saved last", () => {
  const path = join(temporaryFolder(), "cursor");
  const cursor = new CursorFile(path);
  expect(cursor.found).toBeUndefined();
  cursor.save(initialState);
  cursor.save({ ...state, offset: 1 });
  cursor.save(state);
  cursor.close();
  expect(new CursorFile(path).found).toEqual(state);
});

test("a torn slot gives the state before it (F12)", () => {
  const path = join(temporaryFolder(), "cursor");
  const cursor = new CursorFile(path);
  cursor.save(state);
  cursor.save({ ...state, offset: 8192 });
  cursor.close();
  const file = openSync(path, "r+");
  writeSync(file, Buffer.from("torn"), 0, 4, 40); // the second save went to the first slot
  closeSync(file);
  expect(new CursorFile(path).found).toEqual(state);
});

test("a file that is no cursor is none (F12)", () => {
  const path = join(temporaryFolder(), "cursor");
  const file = openSync(path, "w");
  writeSync(file, Buffer.alloc(200_000, 0x41));
  closeSync(file);
  expect(new CursorFile(path).found).toBeUndefined();
});

test("blocks for both slots are there from the beginning", () => {
  const path = join(temporaryFolder(), "cursor");
  const cursor = new CursorFile(path);
  expect(cursor.exists).toBe(false);
  cursor.save(initialState);
  const { blocks } = statSync(path);
  const text = Buffer.alloc(16383, 0x61);
  const line = { text, partTime: undefined, lastTime: "2026-01-01T00:00:01Z" };
  cursor.save({ ...state, prefix: Buffer.alloc(24 << 10), unfinished: { stdout: line, stderr: line } });
  cursor.close();
  expect(statSync(path).blocks).toBe(blocks);
});
