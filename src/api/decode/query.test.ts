import { expect, test } from "bun:test";
import { parseQuery, queryBoolean, queryInteger, queryTerminalSize, queryText, queryVersion } from "./query.ts";

test.each([
  ["", false],
  ["0", false],
  ["no", false],
  ["False", false],
  [" NONE ", false],
  ["1", true],
  ["true", true],
  ["maybe", true],
  ["off", true],
])("queryBoolean() takes %j for %p", (value, expected) => {
  expect(queryBoolean(new URLSearchParams({ all: value }), "all", true)).toBe(expected);
});

test("queryBoolean() gives the default for a missing parameter only", () => {
  expect(queryBoolean(parseQuery("x=1"), "all", true)).toBe(true);
  expect(queryBoolean(parseQuery("all"), "all", true)).toBe(false);
});

test.each([
  ["limit=5", 5],
  ["limit=-1", -1],
  ["limit=%2B1", 1],
  ["limit=007", 7],
  ["limit=", undefined],
  ["", undefined],
])("queryInteger() reads %j", (query, expected) => {
  expect(queryInteger(parseQuery(query), "limit")).toBe(expected as number);
});

/** Recorded from dockerd 28.5.2. */
test.each([
  ["limit=abc", 'strconv.Atoi: parsing "abc": invalid syntax'],
  ["limit=1.5", 'strconv.Atoi: parsing "1.5": invalid syntax'],
  ["limit=+1", 'strconv.Atoi: parsing " 1": invalid syntax'],
  ["limit=1_0", 'strconv.Atoi: parsing "1_0": invalid syntax'],
  ["limit=0x1", 'strconv.Atoi: parsing "0x1": invalid syntax'],
  ["limit=é", 'strconv.Atoi: parsing "é": invalid syntax'],
  ["limit=a%22b", 'strconv.Atoi: parsing "a\\"b": invalid syntax'],
  ["limit=99999999999999999999", 'strconv.Atoi: parsing "99999999999999999999": value out of range'],
])("queryInteger() refuses %j", (query, message) => {
  expect(() => queryInteger(parseQuery(query), "limit")).toThrow(message);
});

test.each([
  ["", 'invalid resize height "": invalid syntax'],
  ["h=abc&w=1", 'invalid resize height "abc": invalid syntax'],
  ["h=1", 'invalid resize width "": invalid syntax'],
  ["h=-1&w=1", 'invalid resize height "-1": value out of range'],
  ["h=1&w=70000000000", 'invalid resize width "70000000000": value out of range'],
])("queryTerminalSize() refuses %j", (query, message) => {
  expect(() => queryTerminalSize(parseQuery(query))).toThrow(message);
});

test("queryTerminalSize() reads rows and columns", () => {
  expect(queryTerminalSize(parseQuery("h=24&w=80"))).toEqual({ height: 24, width: 80 });
});

test("queryVersion() reads 64 bits, and refuses as dockerd", () => {
  expect(queryVersion(parseQuery("version=18446744073709551615"), "service")).toBe(2n ** 64n - 1n);
  expect(() => queryVersion(parseQuery("version=abc"), "service")).toThrow(
    `invalid service version 'abc': strconv.ParseUint: parsing "abc": invalid syntax`,
  );
  expect(() => queryVersion(parseQuery(""), "node")).toThrow(`invalid node version '': strconv.ParseUint: parsing "": invalid syntax`);
});

test("parseQuery() refuses what Go's parser refuses", () => {
  expect(() => parseQuery("limit=%zz")).toThrow('invalid URL escape "%zz"');
  expect(() => parseQuery("limit=%a")).toThrow('invalid URL escape "%a"');
  expect(() => parseQuery("size=1;x=2")).toThrow("invalid semicolon separator in query");
  expect(queryText(parseQuery("a=b%20c+d&e="), "a")).toBe("b c d");
  expect(queryText(parseQuery("a=b%20c+d&e="), "e")).toBeUndefined();
});
