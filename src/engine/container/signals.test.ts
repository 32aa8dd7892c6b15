import { expect, test } from "bun:test";
import { parseSignal, parseSignalFor } from "./signals.ts";

test.each([
  ["SIGTERM", 15],
  ["term", 15],
  ["9", 9],
  ["RTMIN+1", 35],
  ["SIGRTMAX-1", 63],
])("%p is %p", (text, number) => {
  expect(parseSignal(text)).toBe(number);
});

test.each([
  ["SIG42", "invalid signal: SIG42"],
  ["0", "invalid signal: 0"],
  ["-1", "the linux daemon does not support signal -1"],
  ["99", "the linux daemon does not support signal 99"],
])("%p is refused", (text, message) => {
  expect(() => parseSignal(text)).toThrow(message);
  expect(() => parseSignalFor("kill", "web", text)).toThrow(`cannot kill container: web: ${message}`);
});
