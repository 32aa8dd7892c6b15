// Runs the tests of checkpoints on a kernel that criu knows: the distribution's own, in qemu. The last line is "N passed, N failed, N skipped".
// See docs/testing.md. Takes minutes where the processor has to be emulated.
//   npm run test:checkpoints         cgroup v2
//   npm run test:checkpoints v1      cgroup v1
//   npm run test:checkpoints v2 PATH NAME  files whose path has PATH, and of these the tests whose names have NAME, a word
import { ensureDockerClient } from "./lib/docker-client.ts";
import { ensureEmulatedKernel } from "./lib/emulated-kernel/packages.ts";
import { runTestsOn } from "./lib/emulated-kernel/run-tests.ts";
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
await runTestsOn(kernel, { files, name, cgroups }, { timeoutMilliseconds });
