import { describe, expect, test } from "bun:test";
import { appendFileSync, readdirSync, readFileSync, truncateSync, writeFileSync } from "node:fs";
import { zstdDecompressSync } from "node:zlib";
import fc from "fast-check";
import { LogFileWriter } from "../log-file-writer.ts";
import { readLog } from "../log-reader.ts";
import { noLines, type UnfinishedLines } from "../convert.ts";
import { record, recordsOf, temporaryFolder } from "../sample-spool.ts";
import type { LogEntry, LogQuery } from "../types.ts";
import { LocalConverter, localFormat } from "./converter.ts";
import { LocalLogFiles } from "./log-files.ts";
import { localFilePath } from "./names.ts";
import { parseLocalEntry, readTime, writeTime } from "./record.ts";
import { SequenceFiles } from "./rotation.ts";

function convert(spool: Buffer): Buffer {
  const converter = new LocalConverter();
  const output: Buffer[] = [];
  let unfinished: UnfinishedLines = noLines;
  let used = 0;
  for (let offset = 0; ; offset += used) {
    converter.begin(localFormat, unfinished, Buffer.alloc(0));
    used = converter.convert(spool.subarray(offset), spool.length - offset, false);
    if (used === 0) converter.end();
    output.push(Buffer.from(converter.output.subarray(0, converter.length)));
    ({ unfinished } = converter);
    if (used === 0) return Buffer.concat(output);
  }
}

function entriesOf(lines: Buffer): LogEntry[] {
  const entries: LogEntry[] = [];
  for (let start = 0; start < lines.length;) {
    const end = lines.indexOf(10, start);
    const entry = parseLocalEntry(lines.subarray(start, end));
    if (entry) entries.push(entry);
    start = end + 1;
  }
  return entries;
}

const textOf = (entries: readonly LogEntry[], stream: string): Buffer =>
  Buffer.concat(entries.filter((entry) => entry.stream === stream).map(({ line }) => line));

describe("records of the driver local", () => {
  test("give back every byte of any output (H1)", () => {
    const bytes = fc.uint8Array({ maxLength: 300 });
    fc.assert(
      fc.property(fc.array(fc.tuple(bytes, fc.boolean()), { maxLength: 20 }), (pieces) => {
        const spool = Buffer.concat(pieces.map(([piece, stderr], index) => recordsOf(piece, stderr ? "stderr" : "stdout", index)));
        const entries = entriesOf(convert(spool));
        const expected = (stderr: boolean): Buffer => Buffer.concat(pieces.filter((piece) => piece[1] === stderr).map(([piece]) => piece));
        expect(textOf(entries, "stdout")).toEqual(expected(false));
        expect(textOf(entries, "stderr")).toEqual(expected(true));
      }),
      { numRuns: 300 },
    );
  });

  test("long lines are cut every 16 KiB, and their parts have one time", () => {
    const pieces = ["a", "b", "c", "d", "e"].map((letter, index) =>
      record(letter.repeat(8192), index === 4 ? "F" : "P", "stdout", index + 1),
    );
    const entries = entriesOf(convert(Buffer.concat(pieces)));
    expect(entries.map(({ line }) => line.length)).toEqual([16384, 16384, 8193]);
    expect(new Set(entries.map(({ timeNano }) => timeNano)).size).toBe(1);
  });

  test("times sort as their digits do", () => {
    const time = fc.bigInt({ min: 0n, max: 2n ** 63n - 1n });
    fc.assert(
      fc.property(time, time, (a, b) => {
        const [one, other] = [a, b].map((value) => {
          const bytes = Buffer.alloc(11);
          writeTime(value, bytes, 0);
          return bytes;
        });
        expect([one && readTime(one, 0), other && readTime(other, 0)]).toEqual([a, b]);
        expect(Math.sign(Buffer.compare(one ?? Buffer.alloc(0), other ?? Buffer.alloc(0)))).toBe(a < b ? -1 : a > b ? 1 : 0);
      }),
    );
  });

  test("a line cut anywhere by a full disk is ended so that the next one can be read", () => {
    const lines = convert(Buffer.concat([record("first"), record("second"), record("third")]));
    const start = lines.indexOf(10) + 1;
    for (let cut = start + 1; cut < lines.length - 20; cut++) {
      const rest = localFormat.restOfLine(lines, cut, lines.length);
      const entries = entriesOf(Buffer.concat([lines.subarray(0, cut), rest, convert(record("next"))]));
      expect(entries.at(-1)?.line.toString()).toBe("next\n");
      expect(entries.at(0)?.line.toString()).toBe("first\n");
    }
  });
});

const lineOf = (number: number): Buffer => convert(record(`line ${number}`, "F", "stdout", number));
const timeOf = (number: number): bigint => BigInt(Date.parse("2026-11-22T05:38:37Z")) * 1_000_000n + BigInt(number);
const range = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, index) => from + index);

async function until(condition: () => boolean): Promise<void> {
  for (let tries = 0; tries < 1000 && !condition(); tries++) await Bun.sleep(5);
  expect(condition()).toBe(true);
}

/** Files with 2000 lines each; all but the last compressed. */
async function logWith(lines: number, maxFiles = 100): Promise<string> {
  const folder = temporaryFolder();
  const rotation = new SequenceFiles({ folder, maxFiles, compress: true });
  const writer = new LogFileWriter(rotation, lineOf(100_000).length * 2000);
  const output = Buffer.concat(range(100_000, 100_000 + lines).map(lineOf));
  writer.write(output, 0, output.length, () => true);
  const files = Math.min(maxFiles, Math.ceil(lines / 2000));
  await until(
    () => readdirSync(folder).filter((name) => name.endsWith(".zst")).length === files - 1 && readdirSync(folder).length === files,
  );
  writer.close();
  return folder;
}

async function numbers(folder: string, query: Partial<LogQuery> = {}): Promise<number[]> {
  const found: number[] = [];
  const read = {
    files: new LocalLogFiles(folder),
    query: { stdout: true, stderr: true, follow: false, ...query },
    signal: new AbortController().signal,
    run: undefined,
    flush: async () => {},
  };
  for await (const entries of readLog(read)) for (const entry of entries) found.push(Number(Buffer.from(entry.line).toString().slice(5)));
  return found;
}

describe("files of the driver local", () => {
  test("are compressed, and read back in order, from the end, and from a time (LOG-11)", async () => {
    const folder = await logWith(7000);
    expect(await numbers(folder)).toEqual(range(100_000, 107_000));
    expect(await numbers(folder, { tail: 1500 })).toEqual(range(105_500, 107_000));
    expect(await numbers(folder, { tail: 0 })).toEqual([]);
    expect(await numbers(folder, { sinceNano: timeOf(104_321) })).toEqual(range(104_321, 107_000));
    expect(await numbers(folder, { untilNano: timeOf(100_003) })).toEqual(range(100_000, 100_004));
  });

  test("take a fraction of the text's space, and can be read with zstd", async () => {
    const folder = await logWith(4000);
    const compressed = readFileSync(localFilePath(folder, 1, true));
    expect(zstdDecompressSync(compressed).toString()).toBe(Buffer.concat(range(100_000, 102_000).map(lineOf)).toString());
    expect(compressed.length).toBeLessThan(lineOf(100_000).length * 500);
  });

  test("no more are kept than wanted, except for a server that has not got them (H2, LOG-18)", async () => {
    const folder = await logWith(10_000, 2);
    expect(readdirSync(folder).sort()).toEqual(["000004.zst", "000005.log"]);
    const rotation = new SequenceFiles({ folder, maxFiles: 2, compress: false, needed: () => 4, keptFiles: 4 });
    rotation.open();
    for (const expected of [["000004.zst", "000005.log", "000006.log"], undefined, undefined]) {
      rotation.next();
      if (expected) expect(readdirSync(folder).sort()).toEqual(expected);
    }
    expect(readdirSync(folder).sort()).toEqual(["000005.log", "000006.log", "000007.log", "000008.log"]);
  });

  test("a file that is being compressed when the daemon dies is there once", async () => {
    const folder = await logWith(6000);
    writeFileSync(localFilePath(folder, 2, false), Buffer.concat(range(102_000, 104_000).map(lineOf)));
    writeFileSync(`${localFilePath(folder, 1, true)}.x.tmp`, "half of");
    expect(await numbers(folder)).toEqual(range(100_000, 106_000));
    new SequenceFiles({ folder, maxFiles: 5, compress: true }).open();
    expect(readdirSync(folder).filter((name) => name.endsWith(".tmp"))).toEqual([]);
  });

  test("damage hides only what is damaged (H3)", async () => {
    const folder = await logWith(6000);
    const path = localFilePath(folder, 2, true);
    const bytes = readFileSync(path);
    bytes.fill(0x55, 20, 60);
    writeFileSync(path, bytes);
    appendFileSync(localFilePath(folder, 3, false), "rubbish\n\0\0\0\n");
    appendFileSync(localFilePath(folder, 3, false), lineOf(106_000));
    const read = await numbers(folder);
    expect(read.slice(0, 2000)).toEqual(range(100_000, 102_000));
    expect(read.slice(-2001)).toEqual(range(104_000, 106_001));
    truncateSync(path, bytes.length - 3); // without an index
    expect(await numbers(folder, { tail: 2005 })).toEqual([...range(101_998, 102_000), ...range(104_000, 106_001)]);
  });
});
