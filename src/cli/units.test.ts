import { describe, expect, test } from "bun:test";
import { binarySize, humanDuration, humanSize, parseDurationNano, parseMemoryBytes } from "./units.ts";

const second = 1000;
const minute = 60 * second;
const hour = 60 * minute;
const day = 24 * hour;

describe("sizes", () => {
  test.each([
    [0, "0B"],
    [999, "999B"],
    [1000, "1kB"],
    [1984172, "1.98MB"],
    [999_900, "1e+03kB"], // Docker prints this, too
    [123_456_789_012, "123GB"],
    [1.5e15, "1.5PB"],
  ])("%p bytes are %p with three digits", (bytes, expected) => {
    expect(humanSize(bytes, 3)).toBe(expected);
  });

  test("raw sizes have four digits, memory has base 1024", () => {
    expect(humanSize(1984172)).toBe("1.984MB");
    expect(binarySize(25276502016)).toBe("23.54GiB");
  });

  test.each([
    ["512m", 536870912],
    ["1.5GiB", 1610612736],
    ["10", 10],
    ["10 kb", 10240],
    ["7b", 7],
    ["1P", 2 ** 50],
  ])("%p is %p bytes", (text, bytes) => {
    expect(parseMemoryBytes(text)).toBe(bytes);
  });

  test.each(["", "m", "abc", "-1", "1kbb", "1x", "1.2.3", "1kib2"])("%p is no size", (text) => {
    expect(() => parseMemoryBytes(text)).toThrow();
  });
});

describe("durations", () => {
  test.each([
    [0, "Less than a second"],
    [1 * second, "1 second"],
    [59 * second, "59 seconds"],
    [61 * second, "About a minute"],
    [3 * minute, "3 minutes"],
    [59 * minute, "59 minutes"],
    [61 * minute, "About an hour"],
    [2 * hour, "2 hours"],
    [47 * hour, "47 hours"],
    [3 * day, "3 days"],
    [14 * day, "2 weeks"],
    [60 * day, "2 months"],
    [800 * day, "2 years"],
  ])("%p ms are %p", (milliseconds, expected) => {
    expect(humanDuration(milliseconds)).toBe(expected);
  });

  test.each([
    ["1h15m30.5s", 4_530_500_000_000n],
    ["-1.5ms", -1_500_000n],
    ["0", 0n],
    ["10us", 10_000n],
  ])("%p is %p nanoseconds", (text, expected) => {
    expect(parseDurationNano(text)).toBe(expected);
  });
});
