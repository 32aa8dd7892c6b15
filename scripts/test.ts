// Sets up what the tests need, then runs them all. The last line is "N passed, N failed".
//   npm test                    everything
//   npm test integration NAME   only files below test/ whose path has NAME
import { existsSync, mkdirSync } from "node:fs";
import { ensureDockerClient } from "./lib/docker-client.ts";
import { ensurePrograms, ensureRoot } from "./lib/host.ts";
import { runTestFiles } from "./lib/test-files.ts";

const [kind, filter = ""] = process.argv.slice(2);
const bun = process.execPath;

await ensureRoot();
await ensurePrograms([
  "crun",
  "runc",
  "conmon",
  "nft",
  "busybox",
  "catatonit",
  "mmdebstrap",
  "skopeo",
  "umoci",
  "docker-registry",
  "ip",
  "mkfs.ext4",
  "rsyslogd",
  "journalctl",
]);
await ensureDockerClient();
await mountLeftoverController();

const totals = { passed: 0, failed: 0, skipped: 0 };
if (kind === undefined) {
  for (const [name, command] of [
    ["types", ["node_modules/.bin/tsc", "--noEmit"]],
    ["imports", [bun, "scripts/check-imports.ts"]],
    ["lint", ["node_modules/.bin/oxlint", "--type-aware", "--quiet", "src", "scripts", "test"]],
    ["format", [bun, "fmt", "--check", "src", "scripts", "test"]],
    ["build", [bun, "scripts/build.ts"]],
  ] as const) {
    if (name !== "lint" || hasLinter()) await check(name, command);
    else skip(name, "npm does not install it for this version of Node");
  }
  await runTests("unit tests", ["src", "scripts"]);
  await runTests("probes", ["test/probes"]);
}
// Each file with a process of its own: an engine of one test must not meet the leftovers of another.
for (const file of [...new Bun.Glob("test/{integration,e2e,conformance}/**/*.test.ts").scanSync()].sort()) {
  if (file.includes(filter)) await runTests(file, [file]);
}
const skipped = totals.skipped > 0 ? `, ${totals.skipped} skipped` : "";
console.log(`${totals.passed} passed, ${totals.failed} failed${skipped}`);
process.exit(totals.failed > 0 ? 1 : 0);

/** Its program is a package that npm leaves out where Node is older than 20.19. */
function hasLinter(): boolean {
  return [...new Bun.Glob("node_modules/@oxlint/binding-linux-*").scanSync({ onlyFiles: false })].length > 0;
}

function skip(name: string, reason: string): void {
  totals.skipped++;
  console.log(`skip ${name}: ${reason}`);
}

async function check(name: string, command: readonly string[]): Promise<void> {
  const { output, code } = await run(command);
  if (code === 0) {
    totals.passed++;
    console.log(`ok   ${name}`);
  } else {
    totals.failed++;
    console.log(`FAIL ${name}\n${output}`);
  }
}

async function runTests(name: string, paths: readonly string[]): Promise<void> {
  const started = performance.now();
  const { output, passed, failed, skipped, isGood } = await runTestFiles(paths, { timeoutMilliseconds: 60_000 });
  totals.passed += passed;
  totals.skipped += skipped;
  totals.failed += failed;
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  console.log(
    `${isGood ? "ok  " : "FAIL"} ${name}: ${passed} passed, ${failed} failed${skipped ? `, ${skipped} skipped` : ""} (${seconds} s)`,
  );
  if (!isGood) console.log(output);
}

async function run(command: readonly string[]): Promise<{ output: string; code: number }> {
  // With the PATH as it is now: a client of Docker may have been added.
  const child = Bun.spawn([...command], { stdin: "ignore", stdout: "pipe", stderr: "pipe", env: process.env });
  const [out, error, code] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text(), child.exited]);
  return { output: out + error, code };
}

/** crun refuses to run while a controller is left on v2 of a hybrid host: give hugetlb a v1 hierarchy. */
async function mountLeftoverController(): Promise<void> {
  const left = await Bun.file("/sys/fs/cgroup/unified/cgroup.controllers")
    .text()
    .catch(() => "");
  if (!left.includes("hugetlb")) return;
  const folder = "/sys/fs/cgroup/hugetlb";
  if (!existsSync(folder)) mkdirSync(folder);
  await run(["mount", "-t", "cgroup", "-o", "hugetlb", "cgroup", folder]);
}
