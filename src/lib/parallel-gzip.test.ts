import { expect, test } from "bun:test";
import { randomBytes } from "node:crypto";
import { gunzipSync } from "node:zlib";
import { Semaphore } from "./async.ts";
import { gzipBlockBytes, gzipInParallel } from "./parallel-gzip.ts";

async function compress(content: Uint8Array, threads: number): Promise<Buffer> {
  async function* blocks(): AsyncGenerator<Uint8Array<ArrayBuffer>> {
    for (let at = 0; at < content.length; at += gzipBlockBytes) yield Uint8Array.from(content.subarray(at, at + gzipBlockBytes));
  }
  const pieces: Uint8Array[] = [];
  for await (const piece of gzipInParallel(blocks(), { slots: new Semaphore(threads), ahead: 2 * threads })) pieces.push(piece);
  return Buffer.concat(pieces);
}

const text = Buffer.from(Array.from({ length: 200_000 }, (_, index) => `line ${index % 977} of ${index}\n`).join(""));

test.each([
  ["nothing", Buffer.alloc(0)],
  ["a byte", Buffer.from("a")],
  ["a block", Buffer.alloc(gzipBlockBytes, 7)],
  ["a block and a byte", Buffer.alloc(gzipBlockBytes + 1, 7)],
  ["what cannot be compressed", randomBytes(3 * gzipBlockBytes + 5)],
  ["text", text],
])("%s comes back as it was", async (_what, content) => {
  expect(gunzipSync(await compress(content, 2)).equals(content)).toBe(true);
});

test("the result is the same with any number of threads, and about as small as one stream", async () => {
  const [one, four] = [await compress(text, 1), await compress(text, 4)];
  expect(one.equals(four)).toBe(true);
  expect(one.length).toBeLessThan(Bun.gzipSync(Uint8Array.from(text)).length * 1.02);
});

test("blocks are read no further ahead than allowed, and a reader that leaves ends the work", async () => {
  let readBlocks = 0;
  async function* endless(): AsyncGenerator<Uint8Array<ArrayBuffer>> {
    for (;;) {
      readBlocks++;
      yield new Uint8Array(gzipBlockBytes);
    }
  }
  let pieces = 0;
  for await (const _ of gzipInParallel(endless(), { slots: new Semaphore(2), ahead: 4 })) if (++pieces === 10) break;
  expect(readBlocks).toBeLessThanOrEqual(14);
});

test("a source that fails ends it with its error", async () => {
  async function* broken(): AsyncGenerator<Uint8Array<ArrayBuffer>> {
    yield new Uint8Array(gzipBlockBytes);
    throw new Error("the disk is gone");
  }
  const read = async (): Promise<void> => {
    for await (const _ of gzipInParallel(broken(), { slots: new Semaphore(2), ahead: 4 }));
  };
  await expect(read()).rejects.toThrow("the disk is gone");
});
