import { expect, test } from "bun:test";
import type { Check } from "./check.ts";
import { formatReport } from "./report.ts";

const checks: readonly Check[] = [
  { name: "nft", status: "ok", detail: "1.0.6" },
  { name: "conmon", status: "missing", detail: "not installed", advice: "apt-get install conmon" },
];

test("a report has a line for each check, and below it what to do", () => {
  expect(formatReport(checks, false)).toMatchInlineSnapshot(`
    "ok       nft     1.0.6
    missing  conmon  not installed
                     do this: apt-get install conmon
    "
  `);
});

test("only a terminal gets colours", () => {
  expect(formatReport(checks, false)).not.toContain("\u001b");
  expect(formatReport(checks, true)).toContain("\u001b[31mmissing\u001b[0m");
});
