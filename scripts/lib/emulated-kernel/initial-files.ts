import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { run } from "./run.ts";

/** Modules without which nothing of the host is seen. */
const firstModules = ["virtio_pci", "virtio_blk", "9pnet_virtio", "9p"];

export interface InitialFiles {
  /** `lib/modules/<release>` is below it; the result is put beside that, as `initial-files`. */
  readonly folder: string;
  /** `lib/modules/<release>` below it. */
  readonly modulesRoot: string;
  readonly release: string;
  /** A busybox for the machine, which needs no libraries. */
  readonly busybox: string;
}

/** The first file system of a kernel: a busybox, the first modules in the order in which they are loaded, and what loads them. */
export async function makeInitialFiles({ folder, modulesRoot, release, busybox }: InitialFiles): Promise<void> {
  const root = `${folder}/initial`;
  for (const name of ["bin", "modules", "proc", "dev", "root"]) mkdirSync(`${root}/${name}`, { recursive: true });
  await run(["cp", busybox, `${root}/bin/busybox`], folder);
  const listed = firstModules.flatMap((name) =>
    Bun.spawnSync(["modprobe", "-d", modulesRoot, "-S", release, "--show-depends", name], {
      env: { PATH: "/usr/sbin:/sbin:/usr/bin:/bin" },
    })
      .stdout.toString()
      .split("\n")
      .flatMap((line) => /^insmod (\S+)/.exec(line)?.[1] ?? []),
  );
  for (const [index, file] of [...new Set(listed)].entries()) {
    const module = `${root}/modules/${String(index).padStart(2, "0")}.ko`;
    if (file.endsWith(".xz")) await run(["sh", "-c", `busybox xzcat ${file} >${module}`], folder);
    else await run(["cp", file, module], folder);
  }
  writeFileSync(`${root}/init`, firstProcess, { mode: 0o755 });
  await run(["sh", "-c", `cd ${root} && find . | busybox cpio -o -H newc >${folder}/initial-files`], folder);
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
options=ro,trans=virtio,version=9p2000.L,cache=loose,msize=512000
$busybox mount -t 9p -o $options root /root || exec $busybox poweroff -f
if [ -n "$TREE_PLACE" ]; then $busybox mount -t 9p -o $options tree "/root$TREE_PLACE" || exec $busybox poweroff -f; fi
$busybox umount /proc
exec $busybox switch_root /root "$SECOND_INIT"
`;
