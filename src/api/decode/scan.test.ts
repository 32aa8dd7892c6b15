import { expect, test } from "bun:test";
import fc from "fast-check";
import { scanValue } from "./scan.ts";

const scan = (text: string): number => scanValue(Buffer.from(text), 0);

test("scanValue() ends where the value ends", () => {
  fc.assert(
    fc.property(fc.json(), fc.constantFrom("", " ", ",", "]", "x"), (json, rest) => {
      // A number would take digits that follow; a separator comes first.
      expect(scan(`${json} ${rest}`)).toBe(Buffer.byteLength(json));
    }),
  );
});

test("scanValue() takes exactly what JSON.parse takes", () => {
  const alphabet = ["{", "}", "[", "]", ",", ":", '"', "\\", "a", "u", "0", "1", "-", ".", "e", "+", " ", "true", "null", "\u0000", "\n"];
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...alphabet), { maxLength: 12 }), (parts) => {
      const text = parts.join("");
      expect(isWhole(text)).toBe(parses(text));
    }),
    { numRuns: 5000 },
  );
});

function isWhole(text: string): boolean {
  try {
    return text.slice(scan(text)).trim() === "";
  } catch {
    return false;
  }
}

function parses(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

test("scanValue() takes ten thousand levels, and no more", () => {
  const nested = (depth: number): string => "[".repeat(depth) + "]".repeat(depth);
  expect(scan(nested(10_000))).toBe(20_000);
  expect(() => scan(nested(10_001))).toThrow("exceeded max depth");
  expect(() => scan('{"a":'.repeat(1_000_000))).toThrow("exceeded max depth");
});
