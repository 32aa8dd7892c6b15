import { onTestFinished } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { OutputStream } from "./types.ts";

/** A record as conmon writes it; for tests. `ending` F: the container wrote a newline behind `text`. */
export function record(
  text: string | Uint8Array,
  ending: "F" | "P" = "F",
  stream: OutputStream = "stdout",
  nanoseconds = 851887215,
): Buffer {
  const head = `2026-11-22T05:38:37.${String(nanoseconds).padStart(9, "0")}+00:00 ${stream} ${ending} `;
  return Buffer.concat([Buffer.from(head), typeof text === "string" ? Buffer.from(text) : text, Buffer.from("\n")]);
}

/** What conmon makes of one piece of output that it read at once (at most 8192 bytes). */
export function recordsOf(output: Uint8Array, stream: OutputStream, nanoseconds: number): Buffer {
  const records: Buffer[] = [];
  let start = 0;
  for (let end = output.indexOf(10); end >= 0; end = output.indexOf(10, start)) {
    records.push(record(output.subarray(start, end), "F", stream, nanoseconds));
    start = end + 1;
  }
  if (start < output.length) records.push(record(output.subarray(start), "P", stream, nanoseconds));
  return Buffer.concat(records);
}

/** Goes with the test that asks for it. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "gantry-log-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
