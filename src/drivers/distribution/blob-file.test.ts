import { expect, test } from "bun:test";
import { randomBytes } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sha256 } from "#lib/digest.ts";
import { TemporaryFile } from "#lib/temporary-file.ts";
import { BlobFile } from "./blob-file.ts";

const content = randomBytes(5_000_000);
const partBytes = 700_000;

async function withFile(use: (file: TemporaryFile) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "gantry-blob-"));
  try {
    await using file = await TemporaryFile.create(folder);
    await use(file);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Writes a range in small pieces. */
async function write(blob: BlobFile, start: number, end: number): Promise<void> {
  for (let at = start; at < end; at += 65_000) await blob.write(content.subarray(at, Math.min(end, at + 65_000)), at);
}

test("parts that are written side by side and in any order are hashed as a whole", async () => {
  for (let round = 0; round < 5; round++)
    await withFile(async (file) => {
      const blob = new BlobFile(file, sha256(content));
      const starts = Array.from({ length: Math.ceil(content.length / partBytes) }, (_, index) => index * partBytes);
      const order = starts.sort(() => Math.random() - 0.5);
      await Promise.all(order.map((start) => write(blob, start, Math.min(content.length, start + partBytes))));
      await blob.settle();
      expect(blob.hashedBytes).toBe(content.length);
      expect(blob.isRight()).toBe(true);
      expect(readFileSync(file.path).equals(content)).toBe(true);
    });
});

test("what lies behind a hole is forgotten, and the rest goes on from there", async () => {
  await withFile(async (file) => {
    const blob = new BlobFile(file, sha256(content));
    await write(blob, 3_000_000, 4_000_000);
    await write(blob, 1_000_000, 2_000_000);
    await write(blob, 0, 1_000_000);
    await blob.forgetAhead();
    expect(blob.hashedBytes).toBe(2_000_000);
    await write(blob, 2_000_000, content.length);
    expect(blob.isRight()).toBe(true);
  });
});

test("a blob that begins again counts nothing of before", async () => {
  await withFile(async (file) => {
    const blob = new BlobFile(file, sha256(content));
    await blob.write(randomBytes(100_000), 0);
    await blob.restart();
    expect(blob.hashedBytes).toBe(0);
    await write(blob, 0, content.length);
    expect(blob.isRight()).toBe(true);
  });
});
