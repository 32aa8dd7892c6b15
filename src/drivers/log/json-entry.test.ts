import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { parseEntry } from "./json-entry.ts";
import { escapeGrowth, escapeInto, lineFormat } from "./json-line.ts";

const usual = '{"log":"hello\\n","stream":"stderr","time":"2026-11-22T05:38:37.12Z"}';
const parse = (text: string) => parseEntry(Buffer.from(text));
const textOf = (text: string): string | undefined => parse(text)?.line && Buffer.from(parse(text)?.line ?? []).toString();

describe("parseEntry", () => {
  test("reads a usual line", () => {
    expect(parse(usual)).toEqual({ stream: "stderr", timeNano: 1795325917120000000n, line: Buffer.from("hello\n"), attributes: {} });
  });

  test("reads attributes", () => {
    const line = lineFormat({ a: "1", b: '"' }).ownLine("x", "2026-11-22T05:38:37Z");
    expect(parseEntry(line)?.attributes).toEqual({ a: "1", b: '"' });
  });

  test("reads a line that another program wrote in another order", () => {
    expect(textOf('{ "time":"2026-11-22T05:38:37Z", "stream":"stdout", "log":"x" }')).toBe("x");
  });

  test("gives back any text that was written", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        const source = Buffer.from(text);
        const target = Buffer.alloc(source.length * escapeGrowth);
        const escaped = target.toString("utf8", 0, escapeInto(source, 0, source.length, target, 0));
        expect(textOf(usual.replace("hello\\n", () => escaped))).toBe(source.toString());
      }),
    );
  });

  test.each([
    "",
    "{",
    "null",
    '{"log":"x',
    '{"log":"\\',
    '{"log":5,"stream":"stdout","time":"2026-11-22T05:38:37Z"}',
    '{"log":"x","stream":"stdout","time":"yesterday"}',
    usual.slice(0, -1),
    usual.replace("\\n", "\\x"),
  ])("takes %p for damage", (line) => {
    expect(parse(line)).toBeUndefined();
  });

  test("finds the record behind a torn one, and behind zeros", () => {
    expect(textOf(`{"log":"to${usual}`)).toBe("hello\n");
    expect(textOf(`${"\0".repeat(5000)}${usual}`)).toBe("hello\n");
  });
});
