// Runs tests on arm64: a machine emulated by qemu, with Debian's kernel and programs for that processor. The last line is
// "N passed, N failed, N skipped". See docs/testing.md. Takes a quarter of an hour, for the processor is emulated.
//   npm run test:arm64         what depends on the processor
//   npm run test:arm64 PATH NAME   only files whose path has PATH, also others than those of the list, and of these the tests whose
//                                  names have NAME, a word
import { arm64Tests, ensureArm64Kernel } from "./lib/emulated-kernel/arm64.ts";
import { runTestsOn } from "./lib/emulated-kernel/run-tests.ts";
import { ensurePrograms, ensureRoot } from "./lib/host.ts";

const timeoutMilliseconds = 90 * 60_000;

await ensureRoot();
await ensurePrograms(["qemu-system-aarch64", "mmdebstrap", "busybox", "mkfs.ext4", "depmod"]);
const kernel = await ensureArm64Kernel();

const [path, name = ""] = process.argv.slice(2);
const all = ["src", "test/probes", "test/integration", "test/e2e"].flatMap((folder) => [
  ...new Bun.Glob(`${folder}/**/*.test.ts`).scanSync(),
]);
const files = path === undefined ? arm64Tests : all.filter((file) => file.includes(path)).sort();
await runTestsOn(kernel, { files, name, cgroups: "v2" }, { timeoutMilliseconds });
