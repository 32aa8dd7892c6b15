import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { record, recordsOf } from "./sample-spool.ts";
import { toFrames, type FrameOptions } from "./spool-frames.ts";

const both = { stdout: true, stderr: true, framed: true };

function frames(spool: Buffer, options: FrameOptions = both): { readonly used: number; readonly bytes: Buffer } {
  const output = Buffer.alloc(spool.length);
  const { used, filled } = toFrames(spool, spool.length, output, options);
  return { used, bytes: output.subarray(0, filled) };
}

/** Text of each stream, by Docker's framing. */
function parse(bytes: Buffer): [number, string][] {
  const found: [number, string][] = [];
  for (let at = 0; at < bytes.length;) {
    const length = bytes.readUInt32BE(at + 4);
    found.push([bytes[at] ?? 0, bytes.toString("latin1", at + 8, at + 8 + length)]);
    at += 8 + length;
  }
  return found;
}

describe("toFrames", () => {
  test("puts neighbours of one stream into one frame", () => {
    const spool = Buffer.concat([record("a"), record("b", "P"), record("e", "F", "stderr"), record("c")]);
    expect(parse(frames(spool).bytes)).toEqual([
      [1, "a\nb"],
      [2, "e\n"],
      [1, "c\n"],
    ]);
  });

  test("gives bytes alone to a terminal, and one stream to who wants one", () => {
    const spool = Buffer.concat([record("a"), record("e", "F", "stderr"), record("b")]);
    expect(frames(spool, { ...both, framed: false }).bytes.toString()).toBe("a\ne\nb\n");
    expect(parse(frames(spool, { ...both, stdout: false }).bytes)).toEqual([[2, "e\n"]]);
    expect(parse(frames(spool, { ...both, stderr: false }).bytes)).toEqual([[1, "a\nb\n"]]);
  });

  test("leaves a record that has not come as a whole", () => {
    const whole = record("whole");
    const { used, bytes } = frames(Buffer.concat([whole, record("half").subarray(0, 48)]));
    expect(used).toBe(whole.length);
    expect(parse(bytes)).toEqual([[1, "whole\n"]]);
  });

  test("leaves out what is no record", () => {
    const spool = Buffer.concat([Buffer.from("something else that has no head, of some length\n"), record("a")]);
    expect(parse(frames(spool).bytes)).toEqual([[1, "a\n"]]);
  });

  test("keeps every byte of any output, and needs no more room than the spool", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.uint8Array({ minLength: 1, maxLength: 200 }), fc.boolean())), (outputs) => {
        const spool = Buffer.concat(outputs.map(([bytes, stderr], index) => recordsOf(bytes, stderr ? "stderr" : "stdout", index)));
        const got = parse(frames(spool).bytes);
        for (const stream of [1, 2]) {
          const expected = Buffer.concat(outputs.filter(([, stderr]) => stderr === (stream === 2)).map(([bytes]) => bytes));
          expect(
            got
              .filter(([number]) => number === stream)
              .map(([, text]) => text)
              .join(""),
          ).toBe(expected.toString("latin1"));
        }
      }),
    );
  });
});
