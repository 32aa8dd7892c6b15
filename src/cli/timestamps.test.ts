import { expect, test } from "bun:test";
import { unixTime } from "./timestamps.ts";

test.each([
  ["1136073600", "1136073600"],
  ["1136073600.5", "1136073600.5"],
  ["2006-01-02T15:04:05Z", "1136214245.000000000"],
  ["2006-01-02T15:04:05.123456789+01:00", "1136210645.123456789"],
  ["10m", "999999400"],
  ["1.5s", "999999998"],
  ["", undefined],
  ["yesterday", undefined],
])("%p becomes %p when now is 1000000000", (text, expected) => {
  expect(unixTime(text, 1_000_000_000_000)).toBe(expected);
});
