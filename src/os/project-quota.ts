import { closeSync, constants, fstatSync, mkdirSync, openSync, rmdirSync } from "node:fs";
import { isDiskFull } from "#lib/disk.ts";
import { ConfinedDirectory } from "./confined.ts";
import { check, libc, SystemError, systemCall } from "./libc.ts";

// Source: ioctl_xfs_fsgetxattr(2), linux/fs.h.
const FS_IOC_FSGETXATTR = 0x801c581f;
const FS_IOC_FSSETXATTR = 0x401c5820;
const FS_XFLAG_PROJINHERIT = 0x200;
/** struct fsxattr: flags, extent size, extents, project, and 12 bytes more. */
const attributeBytes = 28;
const projectOffset = 12;

// Source: quotactl(2), quotactl_fd(2), linux/quota.h, linux/dqblk_xfs.h.
const SYS_quotactl_fd = 443;
const PRJQUOTA = 2;
const Q_GETQUOTA = 0x800007;
const Q_SETQUOTA = 0x800008;
const Q_GETNEXTQUOTA = 0x800009;
const Q_XGETQSTAT = 0x5805;
/** struct if_dqblk, and if_nextdqblk, which has the id in its padding. */
const quotaBytes = 72;
const quotaOffsets = { limit: 0, usedBytes: 16, inodes: 40, valid: 64, id: 68 } as const;
const QIF_BLIMITS = 1;
const limitUnitBytes = 1024;
/** struct fs_quota_stat is shorter. */
const stateBytes = 256;
const stateFlagsOffset = 2;
const FS_QUOTA_PDQ_ENFD = 1 << 5;

/** Ids of projects that belong to one instance: `first`, and as many as `count`. */
export interface ProjectRange {
  readonly first: number;
  readonly count: number;
}

export interface ProjectState {
  /** 0: no limit. */
  readonly limitBytes: number;
  readonly usedBytes: number;
  /** Files, folders and whatever else has a place of its own. */
  readonly inodes: number;
}

/**
 * Gives a folder, with all that is in it and all that will be made in it, to a project that may hold at most so many bytes. Done again it
 * changes nothing. Blocks: for the kernel worker.
 * @throws {SystemError} where the file system has no project quotas
 */
export function limitFolder(folder: string, id: number, limitBytes: number): void {
  // The limit comes last: it is found again by its folder, whenever a kill comes.
  if (projectOf(folder) !== id) {
    using directory = ConfinedDirectory.openPath(folder);
    assignTree(directory, id);
  }
  limitProject(folder, id, limitBytes);
}

/** Lifts the limit of the project that a folder belongs to, if that is one of these; success where there is none. Blocks. */
export function releaseFolder(folder: string, range: ProjectRange): void {
  const id = ownProjectOf(folder, range);
  if (id !== undefined) limitProject(folder, id, 0);
}

/** Lifts all limits of these projects on the file system of a folder; success where there are none. Blocks. */
export function releaseProjects(folder: string, range: ProjectRange): void {
  for (const [id, { limitBytes }] of readProjects(folder, range)) if (limitBytes > 0) limitProject(folder, id, 0);
}

/** @throws {SystemError} EEXIST when the file system knows something of a project: somebody has it, or has not been cleared away. Blocks. */
export function refuseUsedProject(folder: string, id: number): void {
  const { limitBytes, usedBytes, inodes } = readProject(folder, id);
  if (limitBytes + usedBytes + inodes > 0) throw new SystemError(`project ${id}`, EEXIST);
}

const EEXIST = 17;

/** The project of a folder; 0 for that of all who have none. @throws {SystemError} ENOTTY where the file system knows no projects */
export function projectOf(folder: string): number {
  return withFolder(folder, (descriptor) => readAttributes(descriptor).readUInt32LE(projectOffset));
}

/** @throws {SystemError} ESRCH where quotas are off */
export function readProject(folder: string, id: number): ProjectState {
  const quota = Buffer.alloc(quotaBytes);
  try {
    withFolder(folder, (descriptor) => quotaCall("read the quota of project", descriptor, Q_GETQUOTA, id, quota));
  } catch (error) {
    // XFS has no entry for a project that nobody has had.
    if (!(error instanceof SystemError && error.code === "ENOENT")) throw error;
  }
  return stateIn(quota);
}

/** What the file system of a folder knows of these projects, by id. Nothing where it has no quotas. Blocks. */
export function readProjects(folder: string, range: ProjectRange): ReadonlyMap<number, ProjectState> {
  const found = new Map<number, ProjectState>();
  withFolder(folder, (descriptor) => {
    for (let next = range.first; next < range.first + range.count;) {
      const quota = Buffer.alloc(quotaBytes);
      try {
        quotaCall("read the quota after project", descriptor, Q_GETNEXTQUOTA, next, quota);
      } catch (error) {
        if (error instanceof SystemError && noQuotaCodes.includes(error.code)) return;
        throw error;
      }
      const id = quota.readUInt32LE(quotaOffsets.id);
      if (id >= range.first + range.count) return;
      found.set(id, stateIn(quota));
      next = id + 1;
    }
  });
  return found;
}

/**
 * Why the size of folders below this one cannot be limited; undefined when it can. Told by doing it, with a project that nobody else has,
 * and by whether the file system says that limits are kept: one may only count. Blocks.
 */
export function projectQuotaLack(folder: string, id: number): string | undefined {
  const scratch = `${folder}/.project-probe-${id}`; // a name that no container and no volume can have
  try {
    return settingLack(scratch, id) ?? keepingLack(scratch);
  } catch (error) {
    // Nothing can be made on a full disk, and the limits that are there go on.
    if (isDiskFull(error)) return orReason(() => keepingLack(folder));
    return reasonIn(error);
  } finally {
    endProbe(scratch, id);
  }
}

function settingLack(folder: string, id: number): string | undefined {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  limitFolder(folder, id, probeBytes);
  const isSet = projectOf(folder) === id && readProject(folder, id).limitBytes === probeBytes;
  return isSet ? undefined : "what was set is not what is read back";
}

function keepingLack(folder: string): string | undefined {
  const state = Buffer.alloc(stateBytes);
  withFolder(folder, (descriptor) => quotaCall("read the state of quotas", descriptor, Q_XGETQSTAT, 0, state));
  const isKept = (state.readUInt16LE(stateFlagsOffset) & FS_QUOTA_PDQ_ENFD) !== 0;
  return isKept ? undefined : "project quotas are counted, and not kept: the mount option prjquota is missing";
}

function orReason(body: () => string | undefined): string | undefined {
  try {
    return body();
  } catch (error) {
    return reasonIn(error);
  }
}

function reasonIn(error: unknown): string {
  if (error instanceof SystemError) return lacks[error.code] ?? error.message;
  throw error;
}

const probeBytes = 1 << 20;

const lacks: Readonly<Record<string, string>> = {
  ENOTTY: "this file system has no projects",
  ENOTSUP: "this file system has no projects, or was made without them",
  ESRCH: "project quotas are off: the mount option prjquota is missing",
  ENOSYS: "project quotas are off, or this kernel has none",
  EINVAL: "this kernel has no quotas of this file system",
};

/** No entry left; no quotas; not on this kernel; no such file system. */
const noQuotaCodes = ["ENOENT", "ESRCH", "ENOSYS", "EINVAL", "ENOTSUP", "ENOTTY"];

function endProbe(scratch: string, id: number): void {
  try {
    limitProject(scratch, id, 0);
  } catch {
    // could not be set either
  }
  try {
    rmdirSync(scratch);
  } catch {
    // a folder that cannot be written to: the probe has told so
  }
}

/** Undefined: the folder is missing, or belongs to nobody, or to somebody else, or there are no projects. */
function ownProjectOf(folder: string, { first, count }: ProjectRange): number | undefined {
  try {
    const id = projectOf(folder);
    return id >= first && id < first + count ? id : undefined;
  } catch (error) {
    const { code = "" } = error as NodeJS.ErrnoException;
    if (noQuotaCodes.includes(code)) return undefined;
    throw error;
  }
}

function limitProject(folder: string, id: number, limitBytes: number): void {
  const quota = Buffer.alloc(quotaBytes);
  // A limit of nothing would be none.
  const units = limitBytes === 0 ? 0 : Math.max(1, Math.floor(limitBytes / limitUnitBytes));
  quota.writeBigUInt64LE(BigInt(units), quotaOffsets.limit);
  quota.writeUInt32LE(QIF_BLIMITS, quotaOffsets.valid);
  withFolder(folder, (descriptor) => quotaCall("limit project", descriptor, Q_SETQUOTA, id, quota));
}

/**
 * What is there before the folder has its project is what a copy of the data root brought, or the remains of a volume of that name: it
 * counts as well. Deepest first: the folder itself tells that all of it is done.
 */
function assignTree(directory: ConfinedDirectory, id: number): void {
  for (const name of directory.names()) {
    const stat = directory.stat(name);
    if (stat?.isDirectory()) {
      using child = directory.open(name);
      if (child) assignTree(child, id);
    } else if (stat?.isFile()) {
      const file = directory.openFile(name);
      try {
        if (fstatSync(file).isFile()) assign(file, id, false); // not replaced meanwhile
      } finally {
        closeSync(file);
      }
    }
  }
  assign(directory.descriptor, id, true);
}

function assign(descriptor: number, id: number, inherits: boolean): void {
  const attributes = readAttributes(descriptor);
  const flags = attributes.readUInt32LE(0);
  attributes.writeUInt32LE(inherits ? (flags | FS_XFLAG_PROJINHERIT) >>> 0 : flags, 0);
  attributes.writeUInt32LE(id, projectOffset);
  check(libc.ioctl(descriptor, FS_IOC_FSSETXATTR, attributes), `give files to project ${id}`);
}

function readAttributes(descriptor: number): Buffer {
  const attributes = Buffer.alloc(attributeBytes);
  check(libc.ioctl(descriptor, FS_IOC_FSGETXATTR, attributes), "read the project of a folder");
  return attributes;
}

function stateIn(quota: Buffer): ProjectState {
  return {
    limitBytes: Number(quota.readBigUInt64LE(quotaOffsets.limit)) * limitUnitBytes,
    usedBytes: Number(quota.readBigUInt64LE(quotaOffsets.usedBytes)),
    inodes: Number(quota.readBigUInt64LE(quotaOffsets.inodes)),
  };
}

function quotaCall(what: string, descriptor: number, command: number, id: number, buffer: Buffer): void {
  systemCall(`${what} ${id}`, SYS_quotactl_fd, descriptor, command * 256 + PRJQUOTA, id, buffer);
}

function withFolder<T>(folder: string, body: (descriptor: number) => T): T {
  const descriptor = openSync(folder, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
  try {
    return body(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
