import { expect, test } from "bun:test";
import fc from "fast-check";
import { SparseWriter } from "./sparse-writer.ts";

/** A file in memory that takes at most a few bytes at once, and says which it was given. */
function memoryFile(sizeBytes: number) {
  const content = Buffer.alloc(sizeBytes);
  let writtenBytes = 0;
  const write = (_descriptor: number, bytes: Uint8Array, offset: number, length: number, position: number): number => {
    const count = Math.min(length, 70_000);
    content.set(bytes.subarray(offset, offset + count), position);
    writtenBytes += count;
    return count;
  };
  return { content, write, written: () => writtenBytes };
}

test("data land at the places of their segments, in whatever pieces they come", () => {
  const runs = fc.array(fc.record({ gap: fc.nat(5000), data: fc.uint8Array({ minLength: 1, maxLength: 5000 }) }), { maxLength: 5 });
  fc.assert(
    fc.property(runs, fc.integer({ min: 1, max: 3000 }), (pieces, pieceBytes) => {
      let end = 0;
      const segments = pieces.map(({ gap, data }) => {
        const segment = { offset: end + gap, sizeBytes: data.length };
        end = segment.offset + segment.sizeBytes;
        return segment;
      });
      const expected = Buffer.alloc(end);
      pieces.forEach(({ data }, index) => expected.set(data, segments[index]?.offset ?? 0));
      const file = memoryFile(end);
      const writer = new SparseWriter(3, { segments, sizeBytes: end }, file.write);
      const stored = Buffer.concat(pieces.map(({ data }) => data));
      for (let start = 0; start < stored.length; start += pieceBytes) writer.write(stored.subarray(start, start + pieceBytes));
      expect(file.content.equals(expected)).toBe(true);
    }),
  );
});

test("zeros are not written, and what stands between them is", () => {
  const bytes = Buffer.alloc(1 << 20);
  bytes.write("middle", 500_000);
  const file = memoryFile(bytes.length);
  new SparseWriter(3, { segments: undefined, sizeBytes: bytes.length }, file.write).write(bytes);
  expect(file.content.equals(bytes)).toBe(true);
  expect(file.written()).toBeLessThanOrEqual(64 << 10);
});
