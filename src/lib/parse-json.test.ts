import { expect, test } from "bun:test";
import { parseJson } from "./parse-json.ts";

const parse = (text: string): unknown => parseJson(Buffer.from(text));

test("a document is what JSON says", () => {
  const document = { list: [1, "two", null, { three: '\\"[{' }], empty: {}, text: "[".repeat(5000) };
  expect(parse(JSON.stringify(document))).toEqual(document);
});

test.each(["[".repeat(1001), `${"[".repeat(1001)}${"]".repeat(1001)}`, '{"a":'.repeat(2_000_000), `"\\\\"${"[".repeat(1001)}`])(
  "what is nested too deep is refused soon",
  (text) => {
    const start = performance.now();
    expect(() => parse(text)).toThrow("exceeded max depth");
    expect(performance.now() - start).toBeLessThan(1000);
  },
);

test("a thousand deep is not too deep", () => {
  expect(JSON.stringify(parse(`${"[".repeat(1000)}${"]".repeat(1000)}`))).toHaveLength(2000);
});

test("many brackets side by side are not deep", () => {
  expect(parse(`[${"[],".repeat(5000)}[]]`)).toHaveLength(5001);
});
