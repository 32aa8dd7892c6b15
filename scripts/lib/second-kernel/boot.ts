import { closeSync, ftruncateSync, mkdirSync, openSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import type { SecondKernel } from "./packages.ts";
import { terminateGroup } from "./terminate-group.ts";

const tree = resolve(import.meta.dir, "../../..");
const memoryMebibytes = 1536;
/** Sparse: what is written counts. */
const diskBytes = 4 * 2 ** 30;

export interface Machine {
  /** A folder for its disk and its memory; made here, and removed by the caller. */
  readonly work: string;
  /** The folder of the host that it may write to. */
  readonly results: string;
  readonly name: string;
}

/**
 * Boots the kernel with `inside.ts` as its only work, and passes on, line by line, what that prints.
 * @param signal  ends it by force
 * @returns when it has ended, with all its processes
 */
export async function bootSecondKernel(kernel: SecondKernel, machine: Machine, signal: AbortSignal): Promise<void> {
  mkdirSync(machine.work);
  const disk = join(machine.work, "disk");
  makeDisk(disk);
  const settings = {
    KERNEL_MODULES: kernel.modules,
    KERNEL_MODPROBE: kernel.modprobe,
    HOST_TREE: tree,
    HOST_RESULTS: machine.results,
    HOST_BUN: process.execPath,
    HOST_PATH: [...kernel.tools, dirname(Bun.which("docker") ?? "/usr/bin/docker")].join(":"),
    MACHINE: machine.name,
  };
  const command = [
    kernel.program,
    ...[`mem=${memoryMebibytes}M`, `ubd0=${disk}`, `uml_dir=${machine.work}`, `umid=${machine.name}`],
    ...["rootfstype=hostfs", "rootflags=/", "ro", `init=${join(import.meta.dir, "init.sh")}`],
    ...["con=null", "con1=fd:0,fd:1", "quiet", "panic=1"], // what the kernel says goes to con0
    ...Object.entries(settings).map(([name, value]) => `${name}=${value}`),
  ];
  const environment = { ...process.env, TMPDIR: machine.work };
  const child = Bun.spawn(command, { stdin: "ignore", stdout: "pipe", stderr: "ignore", detached: true, env: environment });
  const end = (): void => terminateGroup(child.pid);
  signal.addEventListener("abort", end, { once: true });
  try {
    await passOn(child.stdout);
    const code = await child.exited;
    if (code !== 0 && !signal.aborted) console.log(`${machine.name} has broken down: the kernel ended with ${child.signalCode ?? code}`);
  } finally {
    signal.removeEventListener("abort", end);
    end();
  }
}

/** As a server's disk with quotas for folders. */
function makeDisk(path: string): void {
  const descriptor = openSync(path, "w");
  ftruncateSync(descriptor, diskBytes);
  closeSync(descriptor);
  const command = ["mkfs.ext4", "-q", "-F", "-O", "quota,project,^has_journal", path];
  const { exitCode, stderr } = Bun.spawnSync(command, { env: { ...process.env, PATH: `${process.env["PATH"]}:/usr/sbin:/sbin` } });
  if (exitCode !== 0) throw new Error(`mkfs.ext4 has failed: ${stderr.toString()}`);
}

/** Whole lines: several machines print at the same time. Their terminals end lines as terminals do. */
async function passOn(stream: ReadableStream<Uint8Array>): Promise<void> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const chunk of stream) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).replaceAll("\r", "").split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) console.log(line);
  }
  if (rest !== "") console.log(rest);
}
