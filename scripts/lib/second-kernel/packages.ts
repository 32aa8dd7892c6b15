import { existsSync, mkdirSync, readlinkSync, renameSync, rmSync, symlinkSync } from "node:fs";
import { resolve } from "node:path";
import { unpack } from "./debian-packages.ts";
import { ensureXfsTools } from "./xfs-tools.ts";

const folder = resolve(import.meta.dir, "../../../node_modules/.cache/second-kernel");

/** What a second kernel is booted from; all of it lies in the cache of this tree. */
export interface SecondKernel {
  /** The kernel, which is a program. */
  readonly program: string;
  /** `modules/<release>` below it. */
  readonly modules: string;
  /** modprobe(8), which finds modules by `-d`. */
  readonly modprobe: string;
  /** Folders with further programs. */
  readonly tools: readonly string[];
}

/**
 * User-mode Linux, taken out of the distribution's packages; nothing is installed. The host needs no module, no virtual machine and no reboot
 * for it.
 */
export async function ensureSecondKernel(): Promise<SecondKernel> {
  if (process.arch !== "x64") fail("User-mode Linux exists for x86-64 alone: these tests cannot run here.");
  if (!existsSync(folder)) await unpackPackages();
  return {
    program: `${folder}/usr/bin/linux.uml`,
    modules: `${folder}/usr/lib/uml/modules`,
    modprobe: `${folder}/sbin/modprobe`,
    tools: [await ensureXfsTools()],
  };
}

async function unpackPackages(): Promise<void> {
  if (!Bun.which("apt-get")) fail("This needs the packages user-mode-linux and kmod of Debian or Ubuntu, and there is no apt-get.");
  console.error("Fetching from the distribution, into node_modules/.cache, for these tests alone:");
  console.error("  user-mode-linux  a second kernel with cgroup v2, run as a program");
  console.error("  kmod             loads that kernel's modules");
  const work = `${folder}.new`;
  rmSync(work, { recursive: true, force: true });
  mkdirSync(work, { recursive: true });
  await unpack(["user-mode-linux", "kmod"], work).catch((error: unknown) => fail(error instanceof Error ? error.message : String(error)));
  linkInside(work);
  renameSync(work, folder);
}

/** The package's link leads to where kmod would be installed. */
function linkInside(root: string): void {
  const [link = ""] = ["sbin/modprobe", "usr/sbin/modprobe"].map((path) => `${root}/${path}`).filter(isLink);
  const [kmod = ""] = ["bin/kmod", "usr/bin/kmod"].filter((path) => existsSync(`${root}/${path}`));
  if (link === "" || kmod === "") fail("The package kmod has no modprobe where it is looked for.");
  rmSync(link);
  mkdirSync(`${root}/sbin`, { recursive: true });
  symlinkSync(`../${kmod}`, `${root}/sbin/modprobe`);
}

function isLink(path: string): boolean {
  try {
    return readlinkSync(path) !== "";
  } catch {
    return false; // not there, or a program
  }
}

function fail(message: string): never {
  console.error(message);
  process.exit(1);
}
