import { expect } from "bun:test";
import { readdirSync } from "node:fs";
import { auditInstance } from "../../src/helper/audit/audit.ts";
import type { TestDaemon } from "./daemon.ts";

/** What a container leaves goes from the host after the removal is answered. */
const teardownMilliseconds = 10_000;

/** Every test file ends with it: records and host agree, nothing is left over. */
export async function expectClean(daemon: Pick<TestDaemon, "dataRoot" | "execRoot">): Promise<void> {
  const place = { dataRoot: daemon.dataRoot, execRoot: daemon.execRoot };
  const end = performance.now() + teardownMilliseconds;
  let differences = await auditInstance(place);
  while (differences.length > 0 && performance.now() < end) {
    await Bun.sleep(100);
    differences = await auditInstance(place);
  }
  expect(differences.map((difference) => ({ ...difference, contents: contentsOf(difference.subject) }))).toEqual([]);
}

/** What lies in a folder that should not be there tells who has left it. */
function contentsOf(subject: string): string[] {
  try {
    return readdirSync(subject, { recursive: true }).map(String);
  } catch {
    return []; // no folder
  }
}

/** Ends the daemon of a test file, also when something is left over. */
export async function endClean(daemon: TestDaemon): Promise<void> {
  try {
    await expectClean(daemon);
  } finally {
    await daemon[Symbol.asyncDispose]();
  }
}
