import { describe, expect, test } from "bun:test";
import { parseBinarySize, parseDecimalSize } from "./size.ts";

describe("parseDecimalSize", () => {
  // Each was given to dockerd 28.5 as max-size.
  test.each([
    ["10m", 10_000_000],
    ["10M", 10_000_000],
    ["1.5m", 1_500_000],
    ["10MiB", 10_000_000],
    ["10 m", 10_000_000],
    ["5 mb", 5_000_000],
    ["1e3", 1000],
    ["1_000", 1000],
    [".5k", 500],
    ["1.m", 1_000_000],
    ["+5m", 5_000_000],
    ["10b", 10],
    ["0.5", 0],
    ["5p", 5e15],
  ])("reads %p as %p bytes", (text, bytes) => {
    expect(parseDecimalSize(text)).toBe(bytes);
  });

  test.each([
    ["zz", "invalid size: 'zz'"],
    ["", "invalid size: ''"],
    ["k", "invalid size: 'k'"],
    ["inf", "invalid size: 'inf'"],
    ["-5", "invalid size: '-5'"],
    ["1E", "invalid suffix: 'e'"],
    ["5bb", "invalid suffix: 'bb'"],
    ["5i", "invalid suffix: 'i'"],
    ["5ib", "invalid suffix: 'ib'"],
    ["1,000", 'strconv.ParseFloat: parsing "1,000": invalid syntax'],
    ["0x10", 'strconv.ParseFloat: parsing "0x10": invalid syntax'],
    [" 5m", 'strconv.ParseFloat: parsing " 5": invalid syntax'],
  ])("refuses %p with Docker's text", (text, message) => {
    expect(() => parseDecimalSize(text)).toThrow(message);
  });
});

test("parseBinarySize counts in powers of 1024", () => {
  expect(parseBinarySize("10m")).toBe(10 * 1024 * 1024);
});
