import { mkdir, open, rename, rm, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { syncFile } from "#lib/disk.ts";
import { KeyedMutex } from "#lib/async.ts";
import { EngineError } from "#lib/errors.ts";
import { randomId } from "#lib/id.ts";
import { parseMemoryBytes } from "#lib/memory-size.ts";
import { freeBytes } from "#os/file-system.ts";
import type { Kernel } from "#os/kernel.ts";
import { childEnvironment } from "#os/process/self.ts";

/** A file with a file system of a fixed size, which takes only the room that is used. */
export interface SizedDisk {
  readonly file: string;
  /** Where it is mounted; beside the file. */
  readonly folder: string;
  readonly sizeBytes: number;
}

/** Of the loop device: a file system with smaller ones, as mkfs makes small ones, cannot be mounted. */
const blockBytes = 4096;

/** So small a file system could not hold the folders. */
export const minimumDiskBytes = 1 << 20;

/**
 * The size that storage options of a container limit it to; 0: no limit, undefined: nothing is said.
 * @throws {Error} with go-units' text for a size that is none
 */
export function sizeOption(options: Readonly<Record<string, string>> | null | undefined): number | undefined {
  const [, text] = Object.entries(options ?? {}).find(([name]) => name.toLowerCase() === "size") ?? [];
  return text === undefined ? undefined : parseMemoryBytes(text);
}

/**
 * Programs that make and mend such file systems.
 * @throws {EngineError} `invalid` naming what is missing
 */
export function needDiskPrograms(): void {
  for (const program of ["mkfs.ext4", "e2fsck"]) programPath(program);
}

/** Disks of containers whose size is limited. One is mounted from its first use on, also while its container does not run: what it holds can be read. */
export class SizedDisks {
  readonly #kernel: Kernel;
  readonly #locks = new KeyedMutex();
  /** Known to be mounted: opened since the start of the daemon. */
  readonly #mounted = new Set<string>();

  constructor(kernel: Kernel) {
    this.#kernel = kernel;
  }

  /**
   * Mounted when it resolves.
   * @param make  makes it when it is not there yet; else that is a success
   */
  open(disk: SizedDisk, make: boolean): Promise<void> {
    return this.#locks.run(disk.folder, async () => {
      if (this.#mounted.has(disk.folder)) return;
      // By the daemon before; a second mount of the same file would destroy what is in it.
      if (await isMountPoint(disk.folder)) return void this.#mounted.add(disk.folder);
      const isThere = await exists(disk.file);
      if (!isThere && !make) return;
      if (isThere) await repair(disk.file);
      else await this.#make(disk);
      await mkdir(disk.folder, { recursive: true, mode: 0o700 });
      await this.#kernel.run({ type: "mount-file", file: disk.file, target: disk.folder, fileSystem: "ext4", options: "discard" });
      this.#mounted.add(disk.folder);
    });
  }

  /** Success when it is not there. What is open in it stays until it is closed. */
  remove({ file, folder }: Pick<SizedDisk, "file" | "folder">): Promise<void> {
    return this.#locks.run(folder, async () => {
      await this.#kernel.run({ type: "umount", target: folder });
      this.#mounted.delete(folder);
      await rm(file, { force: true });
    });
  }

  /** Unmounts those that nobody uses. */
  async close(isUsed: (folder: string) => boolean): Promise<void> {
    for (const folder of [...this.#mounted].filter((one) => !isUsed(one))) {
      await this.#kernel.run({ type: "umount", target: folder });
      this.#mounted.delete(folder);
    }
  }

  /** Whole or absent under its name, whenever a kill comes. */
  async #make({ file, sizeBytes }: SizedDisk): Promise<void> {
    await mkdir(dirname(file), { recursive: true, mode: 0o700 });
    const temporary = `${file}.${randomId().slice(0, 8)}`;
    try {
      const handle = await open(temporary, "wx", 0o600);
      try {
        await handle.truncate(fittingBytes(sizeBytes, file));
      } finally {
        await handle.close();
      }
      await run(
        "mkfs.ext4",
        ["-q", "-F", "-b", String(blockBytes), "-O", "^has_journal", "-m", "0", "-E", "lazy_itable_init=1,nodiscard", temporary],
        [0],
      );
      await syncFile(temporary);
      await rename(temporary, file);
    } catch (error) {
      await rm(temporary, { force: true });
      throw error;
    }
  }
}

/** A disk promises more than it takes. Undefined when the host has as much as it promises. */
export function promiseWarning(sizeBytes: number, folder: string): string | undefined {
  if (sizeBytes <= freeBytes(folder).availableBytes) return undefined;
  return "The size limit is more than the host's disk has left: when that is used up, what has been written and not synced can be lost.";
}

/** More than the host's disk cannot be had, and file systems without end take long to make. */
function fittingBytes(sizeBytes: number, file: string): number {
  const fitting = Math.min(sizeBytes, freeBytes(dirname(file)).totalBytes);
  return fitting - (fitting % blockBytes);
}

/** After a power cut it may be half written; one that was unmounted is only looked at. */
async function repair(file: string): Promise<void> {
  await run("e2fsck", ["-y", file], [0, 1, 2]); // 1 and 2: errors were mended
}

async function run(program: string, args: readonly string[], good: readonly number[]): Promise<void> {
  const child = Bun.spawn([programPath(program), ...args], { stdio: ["ignore", "ignore", "pipe"], env: childEnvironment() });
  const [message, code] = await Promise.all([new Response(child.stderr).text(), child.exited]);
  if (good.includes(code)) return;
  if (message.includes("No space left on device")) throw new EngineError("unavailable", "no space left on device");
  throw new EngineError("internal", `${program} failed with code ${code}: ${message.trim().slice(0, 500)}`);
}

function programPath(program: string): string {
  const path = Bun.which(program, { PATH: `${childEnvironment()["PATH"] ?? ""}:/usr/sbin:/sbin` });
  if (path === null) throw new EngineError("invalid", `--storage-opt size needs ${program} on this host: install e2fsprogs`);
  return path;
}

async function isMountPoint(folder: string): Promise<boolean> {
  if (!(await exists(folder))) return false;
  const [own, above] = await Promise.all([stat(folder), stat(dirname(folder))]);
  return own.dev !== above.dev;
}

function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
