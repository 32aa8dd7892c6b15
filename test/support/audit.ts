import { expect } from "bun:test";
import { auditInstance } from "../../src/helper/audit/audit.ts";
import type { TestDaemon } from "./daemon.ts";

/** Every test file ends with it: records and host agree, nothing is left over. */
export async function expectClean(daemon: Pick<TestDaemon, "dataRoot" | "execRoot">): Promise<void> {
  expect(await auditInstance({ dataRoot: daemon.dataRoot, execRoot: daemon.execRoot })).toEqual([]);
}
