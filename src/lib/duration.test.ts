import { expect, test } from "bun:test";
import fc from "fast-check";
import { goDuration, humanDuration, humanDurationStays } from "./duration.ts";

test.each([
  [0, "0s"],
  [0.5, "500µs"],
  [1, "1ms"],
  [1.5, "1.5ms"],
  [300, "300ms"],
  [1000, "1s"],
  [1500, "1.5s"],
  [90_000, "1m30s"],
  [3_600_000, "1h0m0s"],
  [3_661_250, "1h1m1.25s"],
])("goDuration(%d ms) is %s", (milliseconds, text) => {
  expect(goDuration(milliseconds)).toBe(text);
});

test("humanDuration() says the same until humanDurationStays() has passed", () => {
  const span = fc.oneof(
    fc.integer({ min: 0, max: 120_000 }),
    fc.integer({ min: 0, max: 4 * 3_600_000 }),
    fc.integer({ min: 0, max: 3e11 }),
  );
  fc.assert(
    fc.property(span, fc.double({ min: 0, max: 0.999, noNaN: true }), (milliseconds, part) => {
      const later = milliseconds + humanDurationStays(milliseconds) * part;
      expect(humanDuration(later)).toBe(humanDuration(milliseconds));
    }),
    { numRuns: 2000 },
  );
});
