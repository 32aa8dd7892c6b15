import { accessSync, closeSync, constants, ftruncateSync, openSync } from "node:fs";
import { join, resolve } from "node:path";
import { terminateGroup } from "../second-kernel/terminate-group.ts";
import type { EmulatedKernel } from "./kernel.ts";

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
 * Boots the kernel with its root, read-only, and the test files as its only work; passes on what it prints.
 * @param signal  ends it by force
 * @returns what it has printed
 */
export async function bootEmulatedKernel(kernel: EmulatedKernel, machine: EmulatedMachine, signal: AbortSignal): Promise<string> {
  const disk = join(machine.work, "disk");
  makeDisk(disk);
  const { inside, root } = kernel;
  const isOwnRoot = root !== "/"; // then the tree is none of its files
  const settings = {
    SECOND_INIT: `${inside.tree}/scripts/lib/emulated-kernel/init.sh`,
    TREE_PLACE: isOwnRoot ? inside.tree : "",
    MODULES_ROOT: inside.modulesRoot,
    HOST_TREE: inside.tree,
    HOST_BUN: inside.bun,
    HOST_PATH: inside.client,
    CGROUPS: machine.cgroups,
    TEST_FILES: machine.files.join(","),
    TEST_NAME: machine.name,
  };
  const append = Object.entries(settings).map(([name, value]) => `${name}=${value}`);
  const command = [
    ...emulator(kernel, (await hasVirtualisation(kernel)) ? "virtual" : "emulated", append),
    ...["-m", "2560", "-smp", "2"],
    ...sharedFolder("root", root),
    ...(isOwnRoot ? sharedFolder("tree", tree) : []),
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

/** Everything takes ten to thirty times as long where the processor is emulated. */
const machines = {
  "x86-64": {
    program: "qemu-system-x86_64",
    console: "ttyS0",
    board: [],
    processor: {
      virtual: ["-accel", "kvm", "-cpu", "host,arch-capabilities=off"],
      emulated: ["-accel", "tcg,thread=multi", "-cpu", "max"],
    },
  },
  arm64: {
    program: "qemu-system-aarch64",
    console: "ttyAMA0",
    board: ["-machine", "virt"],
    // One that is sold, and not all that an emulator can do.
    processor: { virtual: ["-accel", "kvm", "-cpu", "host"], emulated: ["-accel", "tcg,thread=multi", "-cpu", "neoverse-n1"] },
  },
} as const;

function emulator(kernel: EmulatedKernel, kind: "virtual" | "emulated", settings: readonly string[]): string[] {
  const { program, console, board, processor } = machines[kernel.processor];
  const append = [`console=${console}`, "quiet", "panic=1", ...settings];
  return [
    ...[program, ...board, "-nodefaults", "-no-reboot", "-display", "none", "-serial", "stdio", ...processor[kind]],
    ...["-kernel", kernel.image, "-initrd", kernel.initialFiles, "-append", append.join(" ")],
  ];
}

function sharedFolder(tag: string, path: string): string[] {
  return [
    ...["-fsdev", `local,id=${tag},path=${path},security_model=none,readonly=on,multidevs=remap`],
    ...["-device", `virtio-9p-pci,fsdev=${tag},mount_tag=${tag}`],
  ];
}

/** Boots as far as the first process: where a host is a virtual machine itself, /dev/kvm may be there and not work. */
async function hasVirtualisation(kernel: EmulatedKernel): Promise<boolean> {
  if ((kernel.processor === "arm64") !== (process.arch === "arm64")) return false;
  try {
    accessSync("/dev/kvm", constants.R_OK | constants.W_OK);
  } catch {
    return false;
  }
  const command = emulator(kernel, "virtual", [`PROBE=${probe}`]);
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
