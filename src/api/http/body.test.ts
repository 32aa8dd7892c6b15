import { describe, expect, test } from "bun:test";
import { PassThrough } from "node:stream";
import fc from "fast-check";
import { collectBody, readBody } from "./body.ts";
import { ByteReader } from "./byte-reader.ts";
import type { BodyFraming } from "./request-head.ts";

/** Reads a body from pieces and tells what follows it on the connection. */
async function read(pieces: readonly (string | Uint8Array)[], framing: BodyFraming, limitBytes = 1 << 20) {
  const socket = new PassThrough();
  const reader = new ByteReader(socket, Buffer.from(pieces[0] ?? ""));
  for (const piece of pieces.slice(1)) if (piece.length > 0) socket.write(piece);
  socket.end();
  const body = Buffer.from(await collectBody(readBody(reader, framing), limitBytes)).toString("latin1");
  let rest = "";
  for (let chunk = await reader.read(); chunk; chunk = await reader.read()) rest += Buffer.from(chunk).toString("latin1");
  return { body, rest };
}

const chunked: BodyFraming = { type: "chunked" };

describe("readBody()", () => {
  test("takes exactly the announced bytes and leaves what follows", async () => {
    expect(await read(["ab", "cdEAR", "LY"], { type: "length", sizeBytes: 4 })).toEqual({ body: "abcd", rest: "EARLY" });
  });

  test("decodes chunks with extensions and trailers, wherever the packets are cut", async () => {
    const wire = '4;name="x"\r\nab\r\n\r\n3\r\ncde\r\n0\r\nTrailer: 1\r\n\r\nEARLY';
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(wire.length), { maxLength: 6 }), async (cuts) => {
        const places = [0, ...cuts.sort((a, b) => a - b), wire.length];
        const pieces = places.slice(1).map((end, index) => wire.slice(places[index], end));
        expect(await read(pieces, chunked)).toEqual({ body: "ab\r\ncde", rest: "EARLY" });
      }),
      { numRuns: 50 },
    );
  });

  test.each([
    ["a size that is no number", "zz\r\nab\r\n0\r\n\r\n"],
    ["a negative size", "-1\r\n\r\n"],
    ["a size beyond every number", `${"f".repeat(17)}\r\n`],
    ["a line that ends with a bare line feed", "2\nab\r\n0\r\n\r\n"],
    ["a chunk longer than its size", "2\r\nabc\r\n0\r\n\r\n"],
    ["a size line without end", "0".repeat(10_000)],
    ["an end in the middle", "5\r\nab"],
  ])("refuses %s", async (_what, wire) => {
    await expect(read([wire], chunked)).rejects.toMatchObject({ kind: "invalid" });
  });

  test("a body beyond the limit is too large", async () => {
    await expect(read(["abcdef"], { type: "length", sizeBytes: 6 }, 5)).rejects.toMatchObject({ kind: "too_large" });
  });
});
