import { expect, test } from "bun:test";
import { exactInteger, exactKey, stringifyExact } from "./exact-integers.ts";

const limits = { Hard: Number(2n ** 63n - 1n), Soft: 5, [exactKey]: { Hard: "9223372036854775807" } };

test("exactInteger() gives all digits, of small numbers too", () => {
  expect(exactInteger(limits, "Hard")).toBe(2n ** 63n - 1n);
  expect(exactInteger(limits, "Soft")).toBe(5n);
  expect(exactInteger(limits, "Name")).toBeUndefined();
});

test("stringifyExact() writes all digits, also after spreading and storage", () => {
  const stored: unknown = JSON.parse(JSON.stringify({ list: [{ ...limits }] }));
  expect(stringifyExact(stored)).toBe('{"list":[{"Hard":9223372036854775807,"Soft":5}]}');
});

test("digits of a number that was replaced are ignored", () => {
  const changed = { ...limits, Hard: 7 };
  expect(exactInteger(changed, "Hard")).toBe(7n);
  expect(stringifyExact(changed)).toBe('{"Hard":7,"Soft":5}');
});

test("a user's key of the same name is left alone", () => {
  for (const value of [{ $exact: "x" }, { $exact: {} }, { $exact: { a: "b" } }, { $exact: null }]) {
    expect(stringifyExact(value)).toBe(JSON.stringify(value));
  }
});
