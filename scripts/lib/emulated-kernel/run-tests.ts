import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { bootEmulatedKernel, type EmulatedMachine } from "./boot.ts";
import type { EmulatedKernel } from "./kernel.ts";

/** Runs test files on a machine of this kernel, tells how they have gone in a last line, and sets the exit code. */
export async function runTestsOn(
  kernel: EmulatedKernel,
  tests: Omit<EmulatedMachine, "work">,
  limit: { readonly timeoutMilliseconds: number },
): Promise<void> {
  const work = mkdtempSync(join(tmpdir(), "emulated-kernel-"));
  const ending = new AbortController();
  const timer = setTimeout(() => ending.abort(), limit.timeoutMilliseconds);
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.once(signal, () => ending.abort());
  try {
    report(await bootEmulatedKernel(kernel, { ...tests, work }, ending.signal), ending.signal.aborted);
  } finally {
    clearTimeout(timer);
    rmSync(work, { recursive: true, force: true });
  }
}

/** Sets the exit code. A run that has not come to its end has failed. */
function report(output: string, wasEnded: boolean): void {
  const sum = (word: string): number =>
    [...output.matchAll(new RegExp(`^\\s*(\\d+) ${word}\\s*$`, "gm"))].reduce((total, [, count]) => total + Number(count), 0);
  const hasEnded = output.includes("tests have ended with 0");
  const failed = Math.max(sum("fail"), hasEnded ? 0 : 1);
  if (wasEnded) console.log("it was ended before its end");
  console.log(`${sum("pass")} passed, ${failed} failed, ${sum("skip")} skipped`);
  process.exitCode = failed > 0 || sum("pass") === 0 ? 1 : 0;
}
