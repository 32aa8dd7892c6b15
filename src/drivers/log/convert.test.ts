import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { noLines, type UnfinishedLines } from "./convert.ts";
import { JsonConverter } from "./json-converter.ts";
import { lineFormat } from "./json-line.ts";
import { record, recordsOf } from "./sample-spool.ts";

interface Line {
  readonly log: string;
  readonly stream: string;
  readonly time: string;
}

const converter = new JsonConverter();
const nothing = Buffer.alloc(0);
const plain = lineFormat({});

/** Converts as a pump does, in pieces of `step` bytes at most. */
function convertAll(spool: Buffer, step = 1 << 18, suspect = false): string {
  const output: Buffer[] = [];
  let unfinished: UnfinishedLines = noLines;
  let offset = 0;
  for (;;) {
    const input = spool.subarray(offset, offset + step);
    converter.begin(plain, unfinished, nothing);
    const used = converter.convert(input, input.length, suspect);
    output.push(Buffer.from(converter.output.subarray(0, converter.length)));
    ({ unfinished } = converter);
    offset += used;
    if (used > 0) continue;
    if (offset + step >= spool.length) break;
    step *= 2; // no whole record in it
  }
  converter.begin(plain, unfinished, nothing);
  converter.end();
  output.push(converter.output.subarray(0, converter.length));
  return Buffer.concat(output).toString();
}

function linesOf(text: string): Line[] {
  return text
    .split("\n")
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Line);
}

describe("Converter", () => {
  test("writes a line as Docker does, its time without trailing zeros", () => {
    expect(convertAll(record("hello <b>", "F", "stderr", 120000000))).toBe(
      '{"log":"hello \\u003cb\\u003e\\n","stream":"stderr","time":"2026-11-22T05:38:37.12Z"}\n',
    );
  });

  test("joins the pieces of a line and gives it the time of the last one", () => {
    const spool = Buffer.concat([record("x", "P", "stdout", 1), record("between", "F", "stderr", 2), record("y", "F", "stdout", 3)]);
    expect(linesOf(convertAll(spool))).toEqual([
      { log: "between\n", stream: "stderr", time: "2026-11-22T05:38:37.000000002Z" },
      { log: "xy\n", stream: "stdout", time: "2026-11-22T05:38:37.000000003Z" },
    ]);
  });

  test("writes a rest without newline when the output ends", () => {
    expect(linesOf(convertAll(record("a", "P")))).toMatchObject([{ log: "a" }]);
  });

  // As dockerd 28.5 wrote them.
  test.each([
    [16384, [16384, 1]],
    [16383, [16384]],
    [16385, [16384, 2]],
    [40000, [16384, 16384, 7233]],
  ])("cuts a line of %p bytes into parts as Docker", (length, parts) => {
    const pieces: Buffer[] = [];
    for (let at = 0; at < length; at += 8192) pieces.push(record("a".repeat(Math.min(8192, length - at)), "P", "stdout", pieces.length));
    const lines = linesOf(convertAll(Buffer.concat([...pieces, record("", "F", "stdout", 900)])));
    expect(lines.map((line) => line.log.length)).toEqual(parts);
    if (lines.length > 1) expect(new Set(lines.map((line) => line.time)).size).toBe(1);
  });

  test("keeps lines of many pieces within a part's memory", () => {
    const spool = Buffer.concat(Array.from({ length: 500 }, () => record("b".repeat(8192), "P")));
    converter.begin(plain, noLines, nothing);
    converter.convert(spool.subarray(0, 1 << 18), 1 << 18, false);
    expect(converter.unfinished.stdout.text.length).toBeLessThan(16384);
  });

  test("gives the same bytes however the spool is cut into reads", () => {
    const pieces = fc.array(
      fc.record({ bytes: fc.uint8Array({ minLength: 1, maxLength: 120 }), stderr: fc.boolean(), newlines: fc.integer({ min: 0, max: 3 }) }),
      { maxLength: 60 },
    );
    fc.assert(
      fc.property(pieces, fc.integer({ min: 300, max: 2000 }), (outputs, step) => {
        const records = outputs.map(({ bytes, stderr, newlines }, index) =>
          recordsOf(Buffer.concat([bytes, Buffer.alloc(newlines, 10)]), stderr ? "stderr" : "stdout", index),
        );
        const spool = Buffer.concat(records);
        expect(convertAll(spool, step)).toBe(convertAll(spool));
      }),
    );
  });

  test("loses and adds no byte of either stream", () => {
    const piece = fc.record({
      text: fc.string({ unit: fc.constantFrom("a", "\n", '"', "<", "\r", "\\"), minLength: 1 }),
      stderr: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(piece), (outputs) => {
        const spool = Buffer.concat(
          outputs.map(({ text, stderr }, index) => recordsOf(Buffer.from(text), stderr ? "stderr" : "stdout", index)),
        );
        const lines = linesOf(convertAll(spool));
        for (const stream of ["stdout", "stderr"]) {
          const expected = outputs.filter(({ stderr }) => stderr === (stream === "stderr")).map(({ text }) => text);
          const got = lines.filter((line) => line.stream === stream).map(({ log }) => log);
          expect(got.join("")).toBe(expected.join(""));
        }
      }),
    );
  });

  test("a container cannot forge a record by printing one (H1)", () => {
    const forged = record("innocent").toString().slice(0, -1);
    expect(linesOf(convertAll(record(forged)))).toMatchObject([{ log: `${forged}\n` }]);
  });

  test("what is no record hides only itself (H3)", () => {
    const spool = Buffer.concat([record("one"), Buffer.from("no head at all, though as long as one would have to be\n"), record("two")]);
    expect(linesOf(convertAll(spool)).map((line) => line.log)).toEqual(["one\n", "two\n"]);
  });

  test("after a full disk, a cut record ends where the next one's head begins", () => {
    const cut = record("first, cut he", "F").subarray(0, -1);
    const spool = Buffer.concat([cut, record("second")]);
    expect(linesOf(convertAll(spool, 1 << 18, true)).map((line) => line.log)).toEqual(["first, cut he\n", "second\n"]);
  });

  test("stops at a record boundary when its output is full", () => {
    const spool = Buffer.concat(Array.from({ length: 40 }, () => record(Buffer.alloc(8192, 0xff))));
    expect(linesOf(convertAll(spool)).length).toBe(40);
  });

  test("puts the prefix before everything", () => {
    converter.begin(plain, noLines, Buffer.from("prefix\n"));
    const input = record("x");
    converter.convert(input, input.length, false);
    expect(converter.output.toString("utf8", 0, converter.length)).toStartWith('prefix\n{"log":"x');
  });
});
