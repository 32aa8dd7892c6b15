import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { escapeGrowth, escapeInto, goString, lineFormat } from "./json-line.ts";

function escape(bytes: Uint8Array): string {
  const target = Buffer.alloc(bytes.length * escapeGrowth);
  return target.toString("utf8", 0, escapeInto(bytes, 0, bytes.length, target, 0));
}

describe("escapeInto", () => {
  test("writes what dockerd 28.5 wrote for the same output", () => {
    const output = Buffer.from('abc<>&\x01\x7f"\\\t\r\n\b\f\v\x1b', "latin1");
    expect(escape(output)).toBe('abc\\u003c\\u003e\\u0026\\u0001\x7f\\"\\\\\\u0009\\r\\n\\u0008\\u000c\\u000b\\u001b');
    expect(escape(Buffer.from([0xe2, 0x80, 0xa8, 0xff, 0xfe, 10]))).toBe("\\u2028\\ufffd\\ufffd\\n");
  });

  test("reads back as the text that a UTF-8 decoder makes of any bytes", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        // Each byte that is no UTF-8 is replaced by itself, where a decoder replaces some runs as one.
        const decoded = JSON.parse(`"${escape(bytes)}"`) as string;
        expect(decoded.replace(/\ufffd+/g, "\ufffd")).toBe(
          new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes).replace(/\ufffd+/g, "\ufffd"),
        );
      }),
    );
  });

  test("keeps every text exactly", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        const wellFormed = text.toWellFormed();
        expect(JSON.parse(`"${escape(Buffer.from(wellFormed))}"`)).toBe(wellFormed);
      }),
    );
  });
});

test("goString() quotes as encoding/json of Go", () => {
  expect(goString('a<b>"')).toBe('"a\\u003cb\\u003e\\""');
});

test("lineFormat() puts attributes in order between stream and time, as Docker", () => {
  const { stderr } = lineFormat({ z: "1", FOO: "bar", a: "2" });
  expect(stderr.toString()).toBe('","stream":"stderr","attrs":{"FOO":"bar","a":"2","z":"1"},"time":"');
  expect(lineFormat({}).stdout.toString()).toBe('","stream":"stdout","time":"');
});
