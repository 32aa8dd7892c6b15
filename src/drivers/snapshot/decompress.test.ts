import { expect, test } from "bun:test";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { EngineError } from "#lib/errors.ts";
import { decompress, detectCompression } from "./decompress.ts";

const content = Buffer.alloc(3_000_000, "some text that repeats itself; ");

async function through(bytes: Uint8Array<ArrayBuffer>, pieceBytes = 10_000): Promise<Buffer> {
  const pieces: Buffer[] = [];
  const chunks = Array.from({ length: Math.ceil(bytes.length / pieceBytes) }, (_, index) =>
    bytes.subarray(index * pieceBytes, (index + 1) * pieceBytes),
  );
  await decompress(detectCompression(bytes), chunks, (piece) => pieces.push(Buffer.from(piece)));
  return Buffer.concat(pieces);
}

test.each([
  ["plain", content],
  ["gzip", gzipSync(content)],
  ["gzip of several members", Buffer.concat([gzipSync(content.subarray(0, 1000)), gzipSync(content.subarray(1000))])],
  ["zstd", zstdCompressSync(content)],
  ["zstd of several frames", Buffer.concat([zstdCompressSync(content.subarray(0, 1000)), zstdCompressSync(content.subarray(1000))])],
  ["zstd with a skippable frame behind, as zstd:chunked has it", Buffer.concat([zstdCompressSync(content), skippableFrame()])],
  ["zstd with a skippable frame first", Buffer.concat([skippableFrame(), zstdCompressSync(content)])],
])("%s gives the content", async (_, bytes) => {
  expect((await through(bytes)).equals(content)).toBe(true);
});

test.each([
  ["gzip", gzipSync(crypto.getRandomValues(new Uint8Array(60_000)))],
  ["zstd", zstdCompressSync(crypto.getRandomValues(new Uint8Array(60_000)))],
])("cut %s is refused", async (_, bytes) => {
  await expect(through(bytes.subarray(0, 50_000))).rejects.toMatchObject({ kind: "invalid" });
});

test("what the source throws is told as it is", async () => {
  function* broken(): Generator<Uint8Array<ArrayBuffer>> {
    yield gzipSync(content).subarray(0, 100);
    throw new EngineError("internal", "input/output error");
  }
  for (const compression of ["none", "gzip"] as const)
    await expect(decompress(compression, broken(), () => {})).rejects.toMatchObject({ kind: "internal" });
});

test("what the sink throws ends the work and is thrown", async () => {
  const failing = decompress("gzip", [gzipSync(content)], () => {
    throw new Error("disk is full");
  });
  await expect(failing).rejects.toThrow("disk is full");
});

function skippableFrame(): Buffer {
  const frame = Buffer.alloc(8 + 20);
  frame.writeUInt32LE(0x184d2a50, 0);
  frame.writeUInt32LE(20, 4);
  return frame;
}
