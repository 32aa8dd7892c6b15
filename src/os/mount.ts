import { closeSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { check, cString, libc, systemCall, SystemError } from "./libc.ts";
import { mountOverlayByPage } from "./overlay-option-page.ts";

// Numbers of the new mount API are the same on x86-64 and arm64. Source: linux/unistd.h, linux/mount.h, mount_setattr(2), fsopen(2).
const SYS_open_tree = 428;
const SYS_move_mount = 429;
const SYS_fsopen = 430;
const SYS_fsconfig = 431;
const SYS_fsmount = 432;
const FSOPEN_CLOEXEC = 1;
const FSMOUNT_CLOEXEC = 1;
const FSCONFIG_SET_FLAG = 0;
const FSCONFIG_SET_STRING = 1;
const FSCONFIG_CMD_CREATE = 6;
const MOVE_MOUNT_F_EMPTY_PATH = 4;
const MOVE_MOUNT_BENEATH = 0x200;
const MOUNT_ATTR_RDONLY = 1;
const AT_FDCWD = -100;
const MS_RDONLY = 1;
const MS_REMOUNT = 32;
const MS_BIND = 4096;
const MS_REC = 16384;
const MS_PRIVATE = 1 << 18;
const MNT_DETACH = 2;

/** One line of /proc/self/mountinfo. Source: proc_pid_mountinfo(5). */
export interface MountInfo {
  readonly id: number;
  readonly device: string;
  readonly root: string;
  readonly target: string;
  readonly options: string;
  /** Optional fields: `shared:N`, `master:N`, … */
  readonly tags: readonly string[];
  readonly type: string;
  readonly source: string;
  readonly superOptions: string;
}

export function readMounts(file = "/proc/self/mountinfo"): MountInfo[] {
  const unescape = (text: string): string =>
    text.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
  return readFileSync(file, "latin1")
    .split("\n")
    .filter(Boolean)
    .map((line) => {
      const fields = line.split(" ");
      const dash = fields.indexOf("-");
      const at = (index: number): string => Buffer.from(unescape(fields[index] ?? ""), "latin1").toString();
      return {
        id: Number(fields[0]),
        device: at(2),
        root: at(3),
        target: at(4),
        options: at(5),
        tags: fields.slice(6, dash),
        type: at(dash + 1),
        source: at(dash + 2),
        superOptions: at(dash + 3),
      };
    });
}

export interface OverlayOptions {
  /** Top first, as overlayfs wants them; at most 500. */
  readonly lowers: readonly string[];
  /** Both or none; without them the tree is read-only and needs two lowers. */
  readonly upper?: string;
  readonly work?: string;
  readonly target: string;
  /** For example `index=off`; a bare word is a flag. */
  readonly options: readonly string[];
}

/** Set by the first mount: this kernel is older than 6.8 and does not take lowers one by one. */
let wantsOptionPage = false;

/** Mounts an overlay. @throws {SystemError} with the kernel's own message where it gives one */
export function mountOverlay(overlay: OverlayOptions): void {
  if (wantsOptionPage) return mountOverlayByPage(overlay);
  try {
    mountOverlayByContext(overlay);
  } catch (error) {
    if (!(error instanceof SystemError && error.code === "EINVAL")) throw error;
    // An old kernel, or something that is wrong with this overlay: then it is refused again, and the first answer tells more.
    try {
      mountOverlayByPage(overlay);
    } catch {
      throw error;
    }
    wantsOptionPage = true;
  }
}

/** By fsopen: no page limit for the options. */
function mountOverlayByContext(overlay: OverlayOptions): void {
  const context = systemCall("fsopen overlay", SYS_fsopen, "overlay", FSOPEN_CLOEXEC);
  let mounted = -1;
  const set = (key: string, value: string): void => {
    systemCall(`overlay option ${key}=${value}`, SYS_fsconfig, context, FSCONFIG_SET_STRING, key, value, 0);
  };
  try {
    for (const lower of overlay.lowers) set("lowerdir+", lower);
    if (overlay.upper !== undefined) set("upperdir", overlay.upper);
    if (overlay.work !== undefined) set("workdir", overlay.work);
    for (const option of overlay.options) {
      const [key = "", value] = option.split("=");
      if (value === undefined) systemCall(`overlay option ${key}`, SYS_fsconfig, context, FSCONFIG_SET_FLAG, key, null, 0);
      else set(key, value);
    }
    set("source", "overlay");
    systemCall(`mount overlay on ${overlay.target}`, SYS_fsconfig, context, FSCONFIG_CMD_CREATE, null, null, 0);
    mounted = systemCall("fsmount overlay", SYS_fsmount, context, FSMOUNT_CLOEXEC, 0);
    systemCall(`attach overlay at ${overlay.target}`, SYS_move_mount, mounted, "", AT_FDCWD, overlay.target, MOVE_MOUNT_F_EMPTY_PATH);
  } catch (error) {
    throw withKernelMessage(error, context);
  } finally {
    closeSync(context);
    if (mounted >= 0) closeSync(mounted);
  }
}

/** The fsopen descriptor holds the kernel's explanation, one message per read. */
function withKernelMessage(error: unknown, context: number): unknown {
  if (!(error instanceof SystemError)) return error;
  const buffer = Buffer.alloc(512);
  const length = Number(libc.read(context, buffer, buffer.length));
  if (length > 0) error.message += ` (${buffer.toString("utf8", 0, length).trim()})`;
  return error;
}

/** Mounts a layer's EROFS index whose file data lie in `data`. Source: erofs(5), `device=` and `directio`. */
export function mountErofs(index: string, data: string, target: string): void {
  mkdirSync(target, { recursive: true });
  const options = cString(`directio,device=${data}`);
  const [source, place, type] = [cString(index), cString(target), cString("erofs")];
  check(libc.mount(source, place, type, MS_RDONLY, options), `mount erofs layer ${index}`);
}

/**
 * Mounts a layer below the one that is mounted at `target`, and detaches that one: a path is at every moment in one of them. Trees and open
 * files keep the old one.
 * @param isOnDevices  index and data are block devices
 */
export function replaceErofs(index: string, data: string, target: string, isOnDevices = false): void {
  const context = systemCall("fsopen erofs", SYS_fsopen, "erofs", FSOPEN_CLOEXEC);
  let mounted = -1;
  try {
    for (const [key, value] of [
      ["source", index],
      ["device", data],
    ] as const)
      systemCall(`erofs option ${key}=${value}`, SYS_fsconfig, context, FSCONFIG_SET_STRING, key, value, 0);
    if (!isOnDevices) systemCall("erofs option directio", SYS_fsconfig, context, FSCONFIG_SET_FLAG, "directio", null, 0);
    systemCall("erofs option ro", SYS_fsconfig, context, FSCONFIG_SET_FLAG, "ro", null, 0);
    systemCall(`mount erofs layer ${index}`, SYS_fsconfig, context, FSCONFIG_CMD_CREATE, null, null, 0);
    mounted = systemCall("fsmount erofs", SYS_fsmount, context, FSMOUNT_CLOEXEC, MOUNT_ATTR_RDONLY);
    systemCall(`attach erofs below ${target}`, SYS_move_mount, mounted, "", AT_FDCWD, target, MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_BENEATH);
  } catch (error) {
    throw withKernelMessage(error, context);
  } finally {
    closeSync(context);
    if (mounted >= 0) closeSync(mounted);
  }
  unmount(target);
}

export function bindMount(source: string, target: string, readOnly: boolean): void {
  const [from, to, none] = [cString(source), cString(target), cString("")];
  check(libc.mount(from, to, none, MS_BIND, none), `bind ${source} to ${target}`);
  if (readOnly) check(libc.mount(none, to, none, MS_BIND | MS_REMOUNT | MS_RDONLY, none), `make ${target} read-only`);
}

/** Makes a folder a mount point of its own that shares nothing with its surroundings. */
export function privateBind(folder: string): void {
  const [path, none] = [cString(folder), cString("")];
  check(libc.mount(path, path, none, MS_BIND, none), `bind ${folder}`);
  check(libc.mount(none, path, none, MS_PRIVATE | MS_REC, none), `make ${folder} private`);
}

/** tmpfs or another file system by its type name and option string. Source: mount(2). */
export function mountFileSystem(source: string, target: string, type: string, flags: number, options: string): void {
  const held = [cString(source), cString(target), cString(type), cString(options)] as const;
  check(libc.mount(held[0], held[1], held[2], flags, held[3]), `mount ${type} on ${target}`);
}

export interface MountCall {
  readonly source: string;
  readonly target: string;
  readonly fileSystem: string;
  readonly flags: number;
  /** `MS_SHARED` and its like, or 0. */
  readonly propagation: number;
  readonly options: string;
}

/** The kernel takes the flags of a bind, and the propagation of any mount, by calls of their own. Source: mount(2). */
export function mountWithPropagation({ source, target, fileSystem, flags, propagation, options }: MountCall): void {
  const where = `mount ${source}:${target}`;
  const what = `${where}${flags === 0 ? "" : `, flags: 0x${flags.toString(16)}`}${options === "" ? "" : `, data: ${options}`}`;
  const [from, to, type, data, none] = [cString(source), cString(target), cString(fileSystem), cString(options), cString("")];
  check(libc.mount(from, to, type, flags, data), what);
  try {
    const isBind = (flags & MS_BIND) !== 0;
    if (isBind && (flags & ~(MS_BIND | MS_REC)) !== 0) check(libc.mount(none, to, none, flags | MS_REMOUNT, none), what);
    if (propagation !== 0) check(libc.mount(none, to, none, propagation, none), what);
  } catch (error) {
    unmount(target);
    throw error;
  }
}

/** Detaches the topmost mount; nothing mounted there, or no such path, is a success. May wait for the disk: never on the main thread. */
export function unmount(target: string): void {
  const path = cString(target);
  if (libc.umount2(path, MNT_DETACH) === 0) return;
  try {
    check(-1, `unmount ${target}`);
  } catch (error) {
    if (error instanceof SystemError && (error.code === "EINVAL" || error.code === "ENOENT")) return;
    throw error;
  }
}

/** A detached clone of a mount, as a descriptor. Source: open_tree(2). */
export function openTree(path: string): number {
  return systemCall(`clone mount ${path}`, SYS_open_tree, AT_FDCWD, path, 1 /* OPEN_TREE_CLONE */ | 0o2000000 /* O_CLOEXEC */);
}

/** Attaches a detached mount. Source: move_mount(2). */
export function moveMount(descriptor: number, target: string): void {
  systemCall(`attach mount at ${target}`, SYS_move_mount, descriptor, "", AT_FDCWD, target, MOVE_MOUNT_F_EMPTY_PATH);
}

/** Writes one of the kernel's settings below /proc/sys; `undefined` when it is not there. */
export function writeSysctl(path: string, value: string): void {
  writeFileSync(`/proc/sys/${path}`, value);
}
