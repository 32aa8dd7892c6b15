import { expect, test } from "bun:test";
import fc from "fast-check";
import { parseDuration } from "#lib/duration.ts";
import { parseTimeOrDuration, parseUnixTime } from "./timestamp.ts";

test.each([
  ["1700000000", 1_700_000_000_000_000_000n],
  ["1700000000.5", 1_700_000_000_500_000_000n],
  ["1700000000.123456789", 1_700_000_000_123_456_789n],
  ["1700000000.1234567891", 1_700_000_000_123_456_789n],
  ["-5", -5_000_000_000n],
  ["0", 0n],
  ["", undefined],
  [null, undefined],
])("parseUnixTime() reads %j", (text, expected) => {
  expect(parseUnixTime(text)).toBe(expected as bigint);
});

/** Recorded from dockerd 28.5.2, `GET /events?since=…`. */
test.each([
  ["x", 'strconv.ParseInt: parsing "x": invalid syntax'],
  ["1.5x", 'strconv.ParseInt: parsing "5x": invalid syntax'],
  ["1.", 'strconv.ParseInt: parsing "": invalid syntax'],
  [".5", 'strconv.ParseInt: parsing "": invalid syntax'],
  ["10m", 'strconv.ParseInt: parsing "10m": invalid syntax'],
  ["2020-01-01T00:00:00Z", 'strconv.ParseInt: parsing "2020-01-01T00:00:00Z": invalid syntax'],
  ["99999999999999999999", 'strconv.ParseInt: parsing "99999999999999999999": value out of range'],
])("parseUnixTime() refuses %j", (text, message) => {
  expect(() => parseUnixTime(text)).toThrow(message);
});

const now = 1_700_000_000_900_000_000n;

test.each([
  ["1h30m", 1_699_994_600_000_000_000n],
  ["-1h", 1_700_003_600_000_000_000n],
  ["0", 0n],
  ["5", 5_000_000_000n],
  ["1700000000.5", 1_700_000_000_500_000_000n],
  ["2020-01-01T10:00:00Z", 1_577_872_800_000_000_000n],
  ["2020-01-01T10:00:00+01:00", 1_577_869_200_000_000_000n],
  ["2020-01-01T10:00:00-01:00", 1_577_876_400_000_000_000n],
  ["2020-01-01T10:00:00.123456789123Z", 1_577_872_800_123_456_789n],
  ["2020-01-01T10:00:00,5Z", 1_577_872_800_500_000_000n],
  ["2020-01-01Z", 1_577_836_800_000_000_000n],
  ["2020-01-01+01:00", 1_577_833_200_000_000_000n],
  ["2020-01-01T10:00", BigInt(new Date(2020, 0, 1, 10).getTime()) * 1_000_000n],
  ["2020-01-01", BigInt(new Date(2020, 0, 1).getTime()) * 1_000_000n],
])("parseTimeOrDuration() reads %j", (text, expected) => {
  expect(parseTimeOrDuration(text, now)).toBe(expected);
});

/** Recorded from dockerd 28.5.2, `GET /images/json` with the filter `until`. */
test.each([
  ["", 'failed to parse value as time or duration: ""'],
  ["abc", 'failed to parse value as time or duration: "abc"'],
  ["1d", 'failed to parse value as time or duration: "1d"'],
  ["10m3", 'failed to parse value as time or duration: "10m3"'],
  ["1.", 'failed to parse value as time or duration: "1."'],
  ["99999999999999999999", 'failed to parse value as time or duration: "99999999999999999999"'],
  ["-5", 'parsing time "-5" as "2006-01-02": cannot parse "-5" as "2006"'],
  ["1.-5", 'parsing time "1.-5" as "2006-01-02T15:04:05.999999999": cannot parse "1.-5" as "2006"'],
  ["2020-1-1", 'parsing time "2020-1-1" as "2006-01-02": cannot parse "1-1" as "01"'],
  ["1h-1", 'parsing time "1h-1" as "2006-01-02": cannot parse "1h-1" as "2006"'],
  ["2020-13-01", 'parsing time "2020-13-01": month out of range'],
  ["2020-02-30", 'parsing time "2020-02-30": day out of range'],
  ["2020-01-01T25:00:00", 'parsing time "2020-01-01T25:00:00": hour out of range'],
  ["2020-01-01T10:00:00+0100", 'parsing time "2020-01-01T10:00:00+0100" as "2006-01-02T15:04Z07:00": cannot parse ":00+0100" as "Z07:00"'],
  ["2020-01-01t10:00:00z", 'parsing time "2020-01-01t10:00:00z" as "2006-01-02Z07:00": cannot parse "t10:00:00z" as "Z07:00"'],
])("parseTimeOrDuration() refuses %j", (text, message) => {
  expect(() => parseTimeOrDuration(text, now)).toThrow(message);
});

test("parseTimeOrDuration() gives a time or an EngineError, whatever the text", () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom("2020", "01", "9", "-", ":", "T", "Z", "+", ".", "h", "m", "0"), { maxLength: 9 }), (parts) => {
      try {
        expect(typeof parseTimeOrDuration(parts.join(""), now)).toBe("bigint");
      } catch (error) {
        expect((error as Error).name).toBe("EngineError");
      }
    }),
    { numRuns: 2000 },
  );
});

test.each([
  ["1.5h", 5_400_000_000_000n],
  ["1h1m1s1ms1us1ns", 3_661_001_001_001n],
  ["1µs", 1_000n],
  ["+.5s", 500_000_000n],
  ["0", 0n],
  ["-1m", -60_000_000_000n],
  ["1", undefined],
  ["", undefined],
  ["1d", undefined],
  [".s", undefined],
  ["2562048h", undefined],
])("parseDuration() reads %j", (text, expected) => {
  expect(parseDuration(text)).toBe(expected as bigint);
});
