import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";

const folder = resolve(import.meta.dir, "../../../node_modules/.cache/emulated-kernel");

/** What a machine is booted from; all of it lies in the cache of this tree. */
export interface EmulatedKernel {
  readonly image: string;
  /** First file system of the kernel: what it needs to see the host's files. */
  readonly initialFiles: string;
  /** `lib/modules/<release>` below it. */
  readonly modulesRoot: string;
}

/** The distribution's own kernel, taken out of its package; nothing is installed. */
export async function ensureEmulatedKernel(): Promise<EmulatedKernel> {
  if (process.arch !== "x64") fail("These tests boot a kernel for x86-64, and this is another processor.");
  if (!existsSync(folder)) await unpackKernel();
  return { image: `${folder}/kernel`, initialFiles: `${folder}/initial-files`, modulesRoot: folder };
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
  await makeInitialFiles(work, release);
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

/** Modules without which nothing of the host is seen. */
const firstModules = ["virtio_pci", "virtio_blk", "9pnet_virtio", "9p"];

/** A busybox, the first modules in the order in which they are loaded, and what loads them. */
async function makeInitialFiles(work: string, release: string): Promise<void> {
  const root = `${work}/initial`;
  for (const name of ["bin", "modules", "proc", "dev", "root"]) mkdirSync(`${root}/${name}`, { recursive: true });
  await run(["cp", Bun.which("busybox", { PATH: "/bin:/usr/bin" }) ?? "busybox", `${root}/bin/busybox`], work);
  const listed = firstModules.flatMap((name) =>
    Bun.spawnSync(["modprobe", "-d", work, "-S", release, "--show-depends", name])
      .stdout.toString()
      .split("\n")
      .flatMap((line) => /^insmod (\S+)/.exec(line)?.[1] ?? []),
  );
  for (const [index, file] of [...new Set(listed)].entries())
    await run(["cp", file, `${root}/modules/${String(index).padStart(2, "0")}.ko`], work);
  writeFileSync(`${root}/init`, firstProcess, { mode: 0o755 });
  await run(["sh", "-c", `cd ${root} && find . | busybox cpio -o -H newc >${work}/initial-files`], work);
  rmSync(root, { recursive: true });
}

const firstProcess = `#!/bin/busybox sh
busybox=/bin/busybox
$busybox mount -t proc proc /proc
$busybox mount -t devtmpfs dev /dev
if [ -n "$PROBE" ]; then
  echo "$PROBE" >/dev/console
  exec $busybox poweroff -f
fi
for module in /modules/*; do $busybox insmod $module; done
$busybox mount -t 9p -o ro,trans=virtio,version=9p2000.L,cache=loose,msize=512000 root /root || exec $busybox poweroff -f
$busybox umount /proc
exec $busybox switch_root /root "$SECOND_INIT"
`;

async function run(command: string[], cwd: string): Promise<void> {
  const path = `${process.env["PATH"]}:/usr/sbin:/sbin`;
  const child = Bun.spawn(command, { cwd, stdin: "ignore", stdout: "ignore", stderr: "pipe", env: { ...process.env, PATH: path } });
  const [errors, code] = await Promise.all([new Response(child.stderr).text(), child.exited]);
  if (code !== 0) fail(`${command.join(" ")} has failed:\n${errors}`);
}

function fail(message: string): never {
  console.error(message);
  process.exit(1);
}
