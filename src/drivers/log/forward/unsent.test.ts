import { expect, test } from "bun:test";
import { readdirSync, rmSync } from "node:fs";
import { noLines } from "../convert.ts";
import { LocalConverter, localFormat } from "../local/converter.ts";
import { localFilePath } from "../local/names.ts";
import { SequenceFiles } from "../local/rotation.ts";
import { LogFileWriter } from "../log-file-writer.ts";
import { record, temporaryFolder } from "../sample-spool.ts";
import { nothingSent, readSentCursor, writeSentCursor, type SentCursor } from "./sent-cursor.ts";
import type { LinePartOf } from "./types.ts";
import { UnsentRecords } from "./unsent.ts";

function linesOf(...records: Buffer[]): Buffer {
  const converter = new LocalConverter();
  const spool = Buffer.concat(records);
  converter.begin(localFormat, noLines, Buffer.alloc(0));
  converter.convert(spool, spool.length, false);
  return Buffer.from(converter.output.subarray(0, converter.length));
}

const numbers = (from: number, to: number): string[] => Array.from({ length: to - from }, (_, index) => `line ${from + index}`);
const linesFrom = (from: number, to: number): Buffer => linesOf(...numbers(from, to).map((text) => record(text)));

/** A log of files with 100 lines each. */
function log(compress = false): { readonly folder: string; readonly write: (lines: Buffer) => void } {
  const folder = temporaryFolder();
  const rotation = new SequenceFiles({ folder, maxFiles: 100, compress });
  const writer = new LogFileWriter(rotation, linesFrom(1000, 1100).length);
  return { folder, write: (lines) => void writer.write(lines, 0, lines.length, () => true) };
}

/** All that is unsent from a cursor on, and where it ends. */
async function rest(folder: string, cursor: SentCursor): Promise<{ texts: string[]; after: SentCursor; gap: boolean }> {
  const records = new UnsentRecords("c", folder, cursor);
  const texts: string[] = [];
  let [after, gap] = [cursor, false];
  for (let batch = await records.next(); batch; batch = await records.next()) {
    texts.push(...batch.records.map(({ text }) => text.toString()));
    after = batch.after;
    gap ||= batch.gap;
  }
  await records.close();
  return { texts, after, gap };
}

test("a log is read on from where it was sent before, whatever happened to its files (LOG-18)", async () => {
  const { folder, write } = log(true);
  write(linesFrom(1000, 1350));
  const first = await rest(folder, nothingSent);
  expect(first.texts).toEqual(numbers(1000, 1350));
  expect(first.after).toMatchObject({ sequence: 4, records: 350 });
  write(linesFrom(1350, 1790));
  for (let tries = 0; tries < 500 && readdirSync(folder).filter((name) => name.endsWith(".zst")).length < 7; tries++) await Bun.sleep(5);
  const second = await rest(folder, first.after);
  expect([second.texts, second.gap]).toEqual([numbers(1350, 1790), false]);
  expect((await rest(folder, second.after)).texts).toEqual([]);
});

test("files that were removed unsent are told of once, and what is there is sent (LOG-18)", async () => {
  const { folder, write } = log();
  write(linesFrom(1000, 1450));
  const cursor = { ...nothingSent, sequence: 1, offset: linesFrom(1000, 1050).length, records: 50 };
  for (const sequence of [1, 2]) rmSync(localFilePath(folder, sequence, false));
  expect(await rest(folder, cursor)).toMatchObject({ texts: numbers(1200, 1450), gap: true });
});

test("parts of a line keep their id and count over a restart", async () => {
  const { folder, write } = log();
  const pieces = "abcdef".split("").map((letter) => record(letter.repeat(8192), "P"));
  const lines = linesOf(...pieces, record("end"));
  const parts: (LinePartOf | undefined)[] = [];
  let cursor = nothingSent;
  for (const line of lines.toString().split(/(?<=\n)/)) {
    write(Buffer.from(line));
    const records = new UnsentRecords("c", folder, cursor);
    const batch = await records.next();
    await records.close();
    cursor = batch?.after ?? cursor;
    parts.push(...(batch?.records ?? []).map(({ part }) => part));
  }
  const id = parts[0]?.id ?? "";
  expect(parts).toEqual([
    { id, ordinal: 1, last: false },
    { id, ordinal: 2, last: false },
    { id, ordinal: 3, last: false },
    { id, ordinal: 4, last: true },
  ]);
  expect(cursor.open).toEqual({});
});

test("a line that is being written is left until its end is there", async () => {
  const { folder, write } = log();
  const line = linesOf(record("whole"));
  write(Buffer.concat([line, line.subarray(0, 9)]));
  const before = await rest(folder, nothingSent);
  expect(before.texts).toEqual(["whole"]);
  write(line.subarray(9));
  expect((await rest(folder, before.after)).texts).toEqual(["whole"]);
});

test("the position is kept, and one that cannot be read is none", () => {
  const folder = temporaryFolder();
  expect(readSentCursor(folder)).toBeUndefined();
  const cursor = { sequence: 3, offset: 17, records: 9, open: { stderr: { id: "x", ordinal: 2 } } };
  writeSentCursor(folder, cursor);
  expect(readSentCursor(folder)).toEqual(cursor);
  Bun.spawnSync(["truncate", "-s", "5", `${folder}/sent`]);
  expect(readSentCursor(folder)).toBeUndefined();
});
