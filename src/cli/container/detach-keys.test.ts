import { expect, test } from "bun:test";
import { DetachKeys, parseDetachKeys } from "./detach-keys.ts";

test.each([
  ["", [16, 17]],
  ["ctrl-a,x", [1, 120]],
  ["ctrl-@,ctrl-[,DEL", [0, 27, 127]],
])("%p are the bytes %p", (text, bytes) => {
  expect(parseDetachKeys(text)).toEqual(bytes);
});

test.each(["ctrl-1", "escape", "a,,b"])("%p are no keys", (text) => {
  expect(() => parseDetachKeys(text)).toThrow("Unknown character");
});

const type = (keys: DetachKeys, text: string) => {
  const { pass, isDetached } = keys.push(new TextEncoder().encode(text));
  return [new TextDecoder().decode(pass), isDetached];
};

test("the keys are found when they come one by one, and are not passed on", () => {
  const keys = new DetachKeys([16, 17]);
  expect(type(keys, "ls\u0010")).toEqual(["ls", false]);
  expect(type(keys, "\u0011rest")).toEqual(["", true]);
});

test("half a sequence that goes on otherwise is passed on in whole", () => {
  const keys = new DetachKeys([16, 17]);
  expect(type(keys, "\u0010")).toEqual(["", false]);
  expect(type(keys, "x")).toEqual(["\u0010x", false]);
  expect(type(keys, "\u0010\u0010\u0011")).toEqual(["\u0010", true]);
});
