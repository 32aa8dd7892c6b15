import { expect, test } from "bun:test";
import { readdirSync, readFileSync, utimesSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { JsonFile } from "./json-file.ts";
import { JsonLogFiles } from "./json-log-files.ts";
import { readLog } from "./log-reader.ts";
import { temporaryFolder } from "./sample-spool.ts";
import type { LogQuery } from "./types.ts";

const second = 1_000_000_000n;
const base = 1_795_000_000;
const line = (number: number): string =>
  `{"log":"line ${number}\\n","stream":"stdout","time":"${new Date((base + number) * 1000).toISOString()}"}\n`;

async function until(condition: () => boolean): Promise<void> {
  for (let tries = 0; tries < 500 && !condition(); tries++) await Bun.sleep(5);
  expect(condition()).toBe(true);
}

/** Three files of ten lines, the older two compressed. */
async function compressedLog(): Promise<string> {
  const path = `${temporaryFolder()}/x-json.log`;
  const file = new JsonFile(path, { maxSizeBytes: line(10).length * 10, maxFiles: 3, compress: true });
  const output = Buffer.from(Array.from({ length: 30 }, (_, index) => line(index + 10)).join(""));
  file.write(output, 0, output.length, () => true);
  await until(
    () =>
      readdirSync(path.replace(/\/[^/]*$/, ""))
        .sort()
        .join() === "x-json.log,x-json.log.1.gz,x-json.log.2.gz",
  );
  file.close();
  return path;
}

async function numbers(path: string, query: Partial<LogQuery> = {}): Promise<number[]> {
  const found: number[] = [];
  const everything = { stdout: true, stderr: true, follow: false };
  const read = {
    files: new JsonLogFiles(path),
    query: { ...everything, ...query },
    signal: new AbortController().signal,
    run: undefined,
    flush: async () => {},
  };
  for await (const entries of readLog(read)) for (const entry of entries) found.push(Number(Buffer.from(entry.line).toString().slice(5)));
  return found;
}

const range = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, index) => from + index);

test("rotated json-files are compressed so that other programs can read them (LOG-01)", async () => {
  const path = await compressedLog();
  expect(gunzipSync(readFileSync(`${path}.2.gz`)).toString()).toBe(range(10, 20).map(line).join(""));
});

test("a log with compressed files is read as a whole, and from its end (LOG-01)", async () => {
  const path = await compressedLog();
  expect(await numbers(path)).toEqual(range(10, 40));
  expect(await numbers(path, { tail: 12 })).toEqual(range(28, 40));
  expect(await numbers(path, { sinceNano: BigInt(base + 25) * second })).toEqual(range(25, 40));
});

test("compressed files that are older than asked for are not even decompressed", async () => {
  const path = await compressedLog();
  utimesSync(`${path}.2.gz`, base, base);
  expect(await numbers(path, { sinceNano: BigInt(base + 5) * second })).toEqual(range(20, 40));
});

test("somebody who reads a file while it is rotated and compressed goes on in the next one (H2)", async () => {
  const path = `${temporaryFolder()}/x-json.log`;
  const file = new JsonFile(path, { maxSizeBytes: line(10).length * 2, maxFiles: 4, compress: true });
  const files = new JsonLogFiles(path);
  const write = (from: number, to: number): void => {
    const output = Buffer.from(range(from, to).map(line).join(""));
    file.write(output, 0, output.length, () => true);
  };
  write(10, 12);
  const [current] = await files.open();
  write(12, 16);
  await until(() => readdirSync(path.replace(/\/[^/]*$/, "")).filter((name) => name.endsWith(".gz")).length === 2);
  const next = await files.openNext(current);
  const buffer = Buffer.alloc(1000);
  const length = (await next?.read(buffer, buffer.length, 0)) ?? 0;
  expect(buffer.toString("utf8", 0, length)).toBe(line(12) + line(13));
  await next?.close();
  await current?.close();
  file.close();
});
