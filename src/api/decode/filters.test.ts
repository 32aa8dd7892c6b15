import { expect, test } from "bun:test";
import { booleanFilter, parseFilters, queryFilters } from "./filters.ts";

const read = (filters: string, accepted?: readonly string[]) =>
  Object.fromEntries(queryFilters(new URLSearchParams({ filters }), accepted));

test.each([
  ['{"status":["running","paused","running"]}', { status: ["running", "paused"] }],
  ['{"status":{"running":true,"paused":false}}', { status: ["paused", "running"] }],
  ['{"status":null}', { status: [] }],
  ['{"status":{"running":null}}', { status: ["running"] }],
  ['{"status":[null]}', { status: [""] }],
  ['{"status":["a"],"status":["b"]}', { status: ["b"] }],
  [' {"label":["a=b"]} ', { label: ["a=b"] }],
  ["{}", {}],
  ["null", {}],
  ["", {}],
])("queryFilters() reads %s", (text, expected) => {
  expect(read(text)).toEqual(expected);
});

test.each([
  "x",
  "{",
  "[]",
  "1",
  '"x"',
  " ",
  "{}x",
  '{"status":"running"}',
  '{"status":[1]}',
  '{"status":{"running":1}}',
  '{"a":["b"],"c":{"d":true}}',
])("queryFilters() refuses %s", (text) => {
  expect(() => read(text)).toThrow(/^invalid filter$/);
});

test("queryFilters() names a filter that is not known", () => {
  expect(() => read('{"status":["a"],"bogus":["x"]}', ["status"])).toThrow("invalid filter 'bogus'");
  expect(() => read('{"__proto__":["x"]}', ["status"])).toThrow("invalid filter '__proto__'");
  expect(() => read('{"STATUS":["x"]}', ["status"])).toThrow("invalid filter 'STATUS'");
});

test("booleanFilter() takes one of true, 1, false, 0", () => {
  const read = (values: readonly string[]) => booleanFilter(parseFilters(JSON.stringify({ dangling: values })), "dangling");
  expect(["true", "1", "false", "0"].map((value) => read([value]))).toEqual([true, true, false, false]);
  expect(read([])).toBeUndefined();
  expect(() => read(["T"])).toThrow("invalid filter 'dangling=[T]'");
  expect(() => read(["true", "false"])).toThrow("invalid filter 'dangling=[true false]'");
});
