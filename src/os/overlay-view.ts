import { closeSync, openSync, constants } from "node:fs";
import { check, cString, libc, systemCall, SystemError } from "./libc.ts";
import { mountOverlayByPage } from "./overlay-option-page.ts";

// Source: linux/mount.h, fsopen(2).
const SYS_fsopen = 430;
const SYS_fsconfig = 431;
const SYS_fsmount = 432;
const FSOPEN_CLOEXEC = 1;
const FSMOUNT_CLOEXEC = 1;
const FSCONFIG_SET_STRING = 1;
const FSCONFIG_CMD_CREATE = 6;
const MOUNT_ATTR_RDONLY = 1;
const CLONE_NEWNS = 0x20000;
const MS_REC = 16384;
const MS_SLAVE = 1 << 19;
const MNT_DETACH = 2;

/**
 * A descriptor of several layers merged, read-only and attached nowhere: it is gone when the descriptor is closed, also by a kill.
 * One layer alone is opened as it is. The caller closes the descriptor, and is a helper process: on kernels before 6.8 this thread gets a mount
 * namespace of its own.
 * @param lowers top first, at least one, at most 500
 */
export function openOverlayView(lowers: readonly string[]): number {
  const [first, second] = lowers;
  if (first !== undefined && second === undefined) return openSync(first, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    return openByContext(lowers);
  } catch (error) {
    if (!(error instanceof SystemError && error.code === "EINVAL")) throw error;
    try {
      return openByPage(lowers);
    } catch {
      throw error; // it was not the age of the kernel
    }
  }
}

function openByContext(lowers: readonly string[]): number {
  const context = systemCall("fsopen overlay", SYS_fsopen, "overlay", FSOPEN_CLOEXEC);
  try {
    for (const lower of lowers) systemCall(`overlay layer ${lower}`, SYS_fsconfig, context, FSCONFIG_SET_STRING, "lowerdir+", lower, 0);
    systemCall("make overlay view", SYS_fsconfig, context, FSCONFIG_CMD_CREATE, null, null, 0);
    return systemCall("mount overlay view", SYS_fsmount, context, FSMOUNT_CLOEXEC, MOUNT_ATTR_RDONLY);
  } finally {
    closeSync(context);
  }
}

/** As a mount over the first layer that nobody else sees, detached as soon as it is open. */
function openByPage(lowers: readonly string[]): number {
  const [target = ""] = lowers;
  const [none, root, place] = [cString(""), cString("/"), cString(target)];
  check(libc.unshare(CLONE_NEWNS), "make mount namespace");
  check(libc.mount(none, root, none, MS_REC | MS_SLAVE, none), "keep mounts from the host");
  mountOverlayByPage({ lowers, target, options: [] });
  try {
    return openSync(target, constants.O_RDONLY | constants.O_DIRECTORY);
  } finally {
    libc.umount2(place, MNT_DETACH);
  }
}
