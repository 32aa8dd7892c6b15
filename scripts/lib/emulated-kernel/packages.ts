import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { makeInitialFiles } from "./initial-files.ts";
import type { EmulatedKernel } from "./kernel.ts";
import { fail, run } from "./run.ts";

const tree = resolve(import.meta.dir, "../../..");
const folder = `${tree}/node_modules/.cache/emulated-kernel`;

/** The distribution's own kernel, taken out of its package, with the host's files as its root; nothing is installed. */
export async function ensureEmulatedKernel(): Promise<EmulatedKernel> {
  if (process.arch !== "x64") fail("These tests boot a kernel for x86-64, and this is another processor.");
  if (!existsSync(folder)) await unpackKernel();
  return {
    processor: "x86-64",
    image: `${folder}/kernel`,
    initialFiles: `${folder}/initial-files`,
    root: "/",
    inside: { tree, modulesRoot: folder, bun: process.execPath, client: dirname(Bun.which("docker") ?? "/usr/bin/docker") },
  };
}

async function unpackKernel(): Promise<void> {
  if (!Bun.which("apt-get")) fail("This needs the kernel package of Debian or Ubuntu, and there is no apt-get.");
  console.error("Fetching the distribution's kernel (70 MB) into node_modules/.cache, for these tests alone");
  const work = `${folder}.new`;
  rmSync(work, { recursive: true, force: true });
  mkdirSync(work, { recursive: true });
  const name = kernelPackage();
  await run(["apt-get", "download", "-qq", name], work);
  for (const archive of new Bun.Glob("*.deb").scanSync({ cwd: work, absolute: true })) {
    await run(["dpkg-deb", "-x", archive, work], work);
    rmSync(archive);
  }
  const [release = ""] = readdirSync(`${work}/lib/modules`);
  await run(["depmod", "-b", work, release], work);
  renameSync(`${work}/boot/vmlinuz-${release}`, `${work}/kernel`);
  const busybox = Bun.which("busybox", { PATH: "/bin:/usr/bin" }) ?? "busybox";
  await makeInitialFiles({ folder: work, modulesRoot: work, release, busybox });
  renameSync(work, folder);
}

/** `linux-image-amd64` and its like stand for the newest of a series, and hold nothing themselves. */
function kernelPackage(): string {
  for (const name of ["linux-image-amd64", "linux-image-generic"]) {
    const { stdout } = Bun.spawnSync(["apt-cache", "depends", name]);
    const found = /Depends: (linux-image-\S+)/.exec(stdout.toString())?.[1];
    if (found !== undefined) return found;
  }
  return fail("No package of a kernel was found: run 'apt-get update', and this again.");
}
