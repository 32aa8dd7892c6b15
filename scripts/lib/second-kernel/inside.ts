// The work of a second kernel: runs test files, each in a process of its own, until none is left, and leaves the totals in the folder of results.
//   inside.ts RESULTS MACHINE   files to run are in RESULTS/files; machines beside this one take theirs from the same list
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { runTestFiles } from "../test-files.ts";
import type { TestSelection } from "./tests.ts";

const [results = "", machine = ""] = process.argv.slice(2);
/** A system call costs several times of what it costs on the host. */
const timeoutMilliseconds = 120_000;

const totals = { passed: 0, failed: 0, skipped: 0, finished: 0 };
const selections = JSON.parse(readFileSync(`${results}/files`, "utf8")) as TestSelection[]; // written by test-cgroup2.ts
for (const [index, selection] of selections.entries()) if (isFree(index)) await runFile(selection);

/** True for the first machine that asks. */
function isFree(index: number): boolean {
  try {
    mkdirSync(`${results}/taken-${index}`);
    return true;
  } catch {
    return false; // another machine was first
  }
}

async function runFile({ file, names }: TestSelection): Promise<void> {
  const started = performance.now();
  const { passed, failed, skipped, output, isGood } = await runTestFiles([file], {
    timeoutMilliseconds,
    ...(names !== undefined && { names }),
  });
  totals.passed += passed;
  totals.failed += failed;
  totals.skipped += skipped;
  totals.finished++;
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  const counts = `${passed} passed, ${failed} failed${skipped ? `, ${skipped} skipped` : ""}`;
  const told = output.split("\n").filter((line) => !isGood || /^\((pass|skip)\)/.test(line));
  console.log([`${isGood ? "ok  " : "FAIL"} ${file}: ${counts} (${seconds} s)`, ...told.map((line) => `     ${line}`)].join("\n"));
  // After every file: what is known survives an end by force.
  writeFileSync(`${results}/totals-${machine}`, JSON.stringify(totals));
}
