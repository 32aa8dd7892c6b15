import { expect, test } from "bun:test";
import { parseChallenges } from "./challenge.ts";

const parse = (text: string | null) => parseChallenges(text).map(({ scheme, parameters }) => [scheme, Object.fromEntries(parameters)]);

test("parameters are read with and without quotes, several challenges in one header", () => {
  expect(parse('Bearer realm="https://auth.example/token?a=b,c",service=reg, error="insufficient_scope"')).toEqual([
    ["bearer", { realm: "https://auth.example/token?a=b,c", service: "reg", error: "insufficient_scope" }],
  ]);
  expect(parse('Basic realm="a \\"quoted\\" name", Bearer realm="x"')).toEqual([
    ["basic", { realm: 'a "quoted" name' }],
    ["bearer", { realm: "x" }],
  ]);
  expect(parse("Basic")).toEqual([["basic", {}]]);
});

test("anything else ends the list, and the list has a bound", () => {
  const junk = [null, "", '"', "=", ",,,", "Bearer realm=", "\u0000", `Bearer ${"a=b,".repeat(5000)}`, "a ".repeat(4000)];
  for (const text of junk) expect(parseChallenges(text).length).toBeLessThanOrEqual(16);
});
