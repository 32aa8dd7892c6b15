// Runs the tests of checkpoints on a kernel that criu knows: the distribution's own, in qemu. The last line is "N passed, N failed, N skipped".
// See docs/testing.md. Takes minutes where the processor has to be emulated.
//   npm run test:checkpoints         cgroup v2
//   npm run test:checkpoints v1      cgroup v1
//   npm run test:checkpoints v2 PATH NAME  files whose path has PATH, and of these the tests whose names have NAME, a word
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ensureDockerClient } from "./lib/docker-client.ts";
import { bootEmulatedKernel } from "./lib/emulated-kernel/boot.ts";
import { ensureEmulatedKernel } from "./lib/emulated-kernel/packages.ts";
import { ensurePrograms, ensureRoot } from "./lib/host.ts";

const timeoutMilliseconds = 45 * 60_000;

await ensureRoot();
await ensurePrograms(["qemu-system-x86_64", "criu", "runc", "crun", "conmon", "nft", "busybox", "mkfs.ext4", "ip", "depmod"]);
await ensureDockerClient();
const kernel = await ensureEmulatedKernel();

const [cgroups = "v2", path = "container/checkpoint", name = ""] = process.argv.slice(2);
if (cgroups !== "v1" && cgroups !== "v2") {
  console.error(`unknown version of cgroups ${JSON.stringify(cgroups)}: use v1 or v2`);
  process.exit(1);
}
const files = [...new Bun.Glob("test/integration/**/*.test.ts").scanSync()].filter((file) => file.includes(path)).sort();

const work = mkdtempSync(join(tmpdir(), "emulated-kernel-"));
const ending = new AbortController();
const timer = setTimeout(() => ending.abort(), timeoutMilliseconds);
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.once(signal, () => ending.abort());
try {
  report(await bootEmulatedKernel(kernel, { work, files, name, cgroups }, ending.signal));
} finally {
  clearTimeout(timer);
  rmSync(work, { recursive: true, force: true });
}

/** Sets the exit code. A run that has not come to its end has failed. */
function report(output: string): void {
  const sum = (word: string): number =>
    [...output.matchAll(new RegExp(`^\\s*(\\d+) ${word}\\s*$`, "gm"))].reduce((total, [, count]) => total + Number(count), 0);
  const hasEnded = output.includes("tests have ended with 0");
  const failed = Math.max(sum("fail"), hasEnded ? 0 : 1);
  if (ending.signal.aborted) console.log("it was ended before its end");
  console.log(`${sum("pass")} passed, ${failed} failed, ${sum("skip")} skipped`);
  process.exitCode = failed > 0 || sum("pass") === 0 ? 1 : 0;
}
