import { expect, test } from "bun:test";
import { formatDifference } from "./difference.ts";

test("formatDifference() keeps one line for each difference, whatever somebody called his files", () => {
  expect(formatDifference({ kind: "file", subject: "/a\nfake b: c\u001b[2J", message: "is left" })).toBe("file /a?fake b: c?[2J: is left");
});
