import { afterAll, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CommitMark } from "./commit-mark.ts";

const folder = mkdtempSync(join(tmpdir(), "gantry-mark-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const path = join(folder, "mark");
const open = (count: number) => CommitMark.open(path, "/data/gantry.db", count);

test("a database with fewer commits than were made is refused, one with as many or more is not", () => {
  const mark = open(0);
  for (let commit = 0; commit < 12; commit++) mark.advance(true);
  mark.close();
  open(12).close();
  open(13).close();
  expect(() => open(11)).toThrow("its last 1 changes are lost, /data/gantry.db-wal is damaged or missing");
});

test("a commit that was not synced may be missing", () => {
  const file = join(folder, "unsynced");
  const mark = CommitMark.open(file, "/data/gantry.db", 3);
  mark.advance(true);
  mark.advance(false);
  mark.close();
  expect(() => CommitMark.open(file, "/data/gantry.db", 3)).toThrow("its last 1 changes are lost");
  CommitMark.open(file, "/data/gantry.db", 4).close();
});

test.each(["", "0000000000000012", "garbage\n".repeat(5), "0000000000000099 0000000000000098\n"])("a mark %p is no evidence", (text) => {
  writeFileSync(path, text);
  const mark = open(3);
  expect(mark.next).toBe(4);
  mark.advance(true);
  mark.close();
  expect(readFileSync(path, "latin1")).toStartWith("0000000000000004 0000000000000004\n");
});
