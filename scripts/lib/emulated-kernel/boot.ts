import { accessSync, closeSync, constants, ftruncateSync, openSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { terminateGroup } from "../second-kernel/terminate-group.ts";
import type { EmulatedKernel } from "./packages.ts";

const tree = resolve(import.meta.dir, "../../..");
/** Sparse: what is written counts. */
const diskBytes = 4 * 2 ** 30;

export interface EmulatedMachine {
  /** A folder for its disk; removed by the caller. */
  readonly work: string;
  /** Test files, relative to the tree. */
  readonly files: readonly string[];
  /** A word in the names of tests; empty: all. */
  readonly name: string;
  readonly cgroups: "v1" | "v2";
}

/**
 * Boots the kernel with the host's files as its root, read-only, and the test files as its only work; passes on what it prints.
 * @param signal  ends it by force
 * @returns what it has printed
 */
export async function bootEmulatedKernel(kernel: EmulatedKernel, machine: EmulatedMachine, signal: AbortSignal): Promise<string> {
  const disk = join(machine.work, "disk");
  makeDisk(disk);
  const settings = {
    SECOND_INIT: join(import.meta.dir, "init.sh"),
    MODULES_ROOT: kernel.modulesRoot,
    HOST_TREE: tree,
    HOST_BUN: process.execPath,
    HOST_PATH: dirname(Bun.which("docker") ?? "/usr/bin/docker"),
    CGROUPS: machine.cgroups,
    TEST_FILES: machine.files.join(","),
    TEST_NAME: machine.name,
  };
  const append = ["console=ttyS0", "quiet", "panic=1", ...Object.entries(settings).map(([name, value]) => `${name}=${value}`)];
  const command = [
    ...emulator(kernel, (await hasVirtualisation(kernel)) ? virtual : emulated, append),
    ...["-m", "2560", "-smp", "2"],
    ...["-fsdev", "local,id=root,path=/,security_model=none,readonly=on,multidevs=remap"],
    ...["-device", "virtio-9p-pci,fsdev=root,mount_tag=root"],
    ...["-drive", `file=${disk},if=virtio,format=raw,cache=unsafe`],
  ];
  const child = Bun.spawn(command, { stdin: "ignore", stdout: "pipe", stderr: "inherit", detached: true });
  const end = (): void => terminateGroup(child.pid);
  signal.addEventListener("abort", end, { once: true });
  try {
    return await passOn(child.stdout);
  } finally {
    signal.removeEventListener("abort", end);
    end();
  }
}

const virtual = ["-accel", "kvm", "-cpu", "host,arch-capabilities=off"];
/** Everything takes ten to thirty times as long. */
const emulated = ["-accel", "tcg,thread=multi", "-cpu", "max"];

function emulator(kernel: EmulatedKernel, processor: readonly string[], append: readonly string[]): string[] {
  return [
    ...["qemu-system-x86_64", "-nodefaults", "-no-reboot", "-display", "none", "-serial", "stdio", ...processor],
    ...["-kernel", kernel.image, "-initrd", kernel.initialFiles, "-append", append.join(" ")],
  ];
}

/** Boots as far as the first process: where a host is a virtual machine itself, /dev/kvm may be there and not work. */
async function hasVirtualisation(kernel: EmulatedKernel): Promise<boolean> {
  try {
    accessSync("/dev/kvm", constants.R_OK | constants.W_OK);
  } catch {
    return false;
  }
  const command = emulator(kernel, virtual, ["console=ttyS0", "quiet", "panic=1", `PROBE=${probe}`]);
  const child = Bun.spawn(command, {
    stdin: "ignore",
    stdout: "pipe",
    stderr: "ignore",
    timeout: probeMilliseconds,
    killSignal: "SIGKILL",
  });
  return (await new Response(child.stdout).text()).includes(probe);
}

const probe = "the-first-process-runs";
const probeMilliseconds = 20_000;

function makeDisk(path: string): void {
  const descriptor = openSync(path, "w");
  ftruncateSync(descriptor, diskBytes);
  closeSync(descriptor);
  const command = ["mkfs.ext4", "-q", "-F", "-O", "^has_journal", path];
  const { exitCode, stderr } = Bun.spawnSync(command, { env: { ...process.env, PATH: `${process.env["PATH"]}:/usr/sbin:/sbin` } });
  if (exitCode !== 0) throw new Error(`mkfs.ext4 has failed: ${stderr.toString()}`);
}

async function passOn(stream: ReadableStream<Uint8Array>): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const chunk of stream) {
    const part = decoder.decode(chunk, { stream: true }).replaceAll("\r", "");
    process.stdout.write(part);
    text += part;
  }
  return text;
}
