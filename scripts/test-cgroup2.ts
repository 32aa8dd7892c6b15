// Runs container tests on a second kernel: Linux 6.1 with cgroup v2, without nftables, with project quotas. The last line is
// "N passed, N failed". See docs/testing.md.
//   npm run test:cgroup2         all of them
//   npm run test:cgroup2 NAME    only files whose path has NAME, also others than those of the list
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { ensureDockerClient } from "./lib/docker-client.ts";
import { ensurePrograms, ensureRoot } from "./lib/host.ts";
import { bootSecondKernel } from "./lib/second-kernel/boot.ts";
import { ensureSecondKernel } from "./lib/second-kernel/packages.ts";
import { secondKernelTests, type TestSelection } from "./lib/second-kernel/tests.ts";

const timeoutMilliseconds = 570_000;
/** The kernel has one processor, so several machines share the files. */
const maximumMachines = 4;

await ensureRoot();
await ensurePrograms(["crun", "conmon", "busybox", "mkfs.ext4", "ip"]);
await ensureDockerClient();
const kernel = await ensureSecondKernel();

const [filter] = process.argv.slice(2);
const files = filter === undefined ? secondKernelTests : filesNamed(filter);
const machines = Array.from({ length: Math.min(availableParallelism(), maximumMachines, files.length) }, (_, index) => `machine${index}`);

const work = mkdtempSync(join(tmpdir(), "second-kernel-"));
const results = join(work, "results");
const ending = new AbortController();
const timer = setTimeout(() => {
  console.log(`not ended within ${timeoutMilliseconds / 1000} seconds`);
  ending.abort();
}, timeoutMilliseconds);
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.once(signal, () => ending.abort());
try {
  mkdirSync(results);
  writeFileSync(join(results, "files"), JSON.stringify(files));
  await Promise.all(machines.map((name) => bootSecondKernel(kernel, { name, results, work: join(work, name) }, ending.signal)));
  report(machines.map(readTotals));
} finally {
  clearTimeout(timer);
  rmSync(work, { recursive: true, force: true });
}

type Totals = Readonly<Record<"passed" | "failed" | "skipped" | "finished", number>>;

function filesNamed(part: string): readonly TestSelection[] {
  const all = [...new Bun.Glob("test/{integration,e2e}/**/*.test.ts").scanSync()].sort();
  return all.filter((file) => file.includes(part)).map((file) => secondKernelTests.find((one) => one.file === file) ?? { file });
}

/** Sets the exit code. What was not run has not passed. */
function report(found: readonly Totals[]): void {
  const sum = (name: keyof Totals): number => found.reduce((total, totals) => total + totals[name], 0);
  const left = files.length - sum("finished");
  if (left > 0) console.log(`${left} of ${files.length} files were not run to their end: each counts as a failure`);
  const failed = sum("failed") + left;
  const skipped = sum("skipped");
  console.log(`${sum("passed")} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`);
  process.exitCode = failed > 0 || files.length === 0 ? 1 : 0;
}

function readTotals(machine: string): Totals {
  let found: unknown;
  try {
    found = JSON.parse(readFileSync(join(results, `totals-${machine}`), "utf8"));
  } catch {
    // ended before its first file had
  }
  const fields = new Map<string, unknown>(Object.entries(found ?? {}));
  const count = (name: string): number => Number(fields.get(name) ?? 0);
  return { passed: count("passed"), failed: count("failed"), skipped: count("skipped"), finished: count("finished") };
}
