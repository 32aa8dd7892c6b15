import { closeSync, ftruncateSync, mkdirSync, mkdtempSync, openSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { mountFile } from "../../src/os/loop.ts";
import { unmount } from "../../src/os/mount.ts";

export interface FileSystemImage extends Disposable {
  /** Of the file system, which is empty. */
  readonly folder: string;
  /** Mounts it anew, with other options. Nothing of it may be in use. */
  remount(options: string): void;
}

const sizeBytes = 2 ** 30;
// Of the loop device: XFS refuses to be mounted with sectors that are smaller.
const sectorBytes = 4096;

const recipes = {
  ext4: { command: ["mkfs.ext4", "-q", "-F"], type: "ext4", options: "" },
  "ext4 with project quotas": { command: ["mkfs.ext4", "-q", "-F", "-O", "quota,project"], type: "ext4", options: "prjquota" },
  /** It has the feature, and not the mount option. */
  "ext4 that counts": { command: ["mkfs.ext4", "-q", "-F", "-O", "quota,project"], type: "ext4", options: "" },
  "xfs with project quotas": { command: ["mkfs.xfs", "-q", "-s", `size=${sectorBytes}`], type: "xfs", options: "prjquota" },
} as const;

export type FileSystemKind = keyof typeof recipes;

/** Why there cannot be such a file system here; undefined: there can. */
export function lackOfProgram(kind: FileSystemKind): string | undefined {
  const [program] = recipes[kind].command;
  return Bun.which(program, { PATH: searchPath() }) === null ? `this host has no ${program}` : undefined;
}

/** A file system of its own in a sparse file, mounted in a temporary folder. Dispose when nothing of it is in use. */
export function mountImage(kind: FileSystemKind): FileSystemImage {
  const { command, type, options } = recipes[kind];
  const work = mkdtempSync(join(tmpdir(), "file-system-"));
  const file = join(work, "image");
  const descriptor = openSync(file, "w");
  ftruncateSync(descriptor, sizeBytes);
  closeSync(descriptor);
  const { exitCode, stderr } = Bun.spawnSync([...command, file], { env: { ...process.env, PATH: searchPath() } });
  if (exitCode !== 0) throw new Error(`${command[0]} has failed: ${stderr.toString()}`);
  const folder = join(work, "mounted");
  mkdirSync(folder);
  mountFile(file, folder, type, options);
  return {
    folder,
    remount(others) {
      unmount(folder);
      mountFile(file, folder, type, others);
    },
    [Symbol.dispose]() {
      unmount(folder);
      rmSync(work, { recursive: true });
    },
  };
}

const searchPath = (): string => `${process.env["PATH"] ?? ""}:/usr/sbin:/sbin`;
