import { closeSync, openSync, constants } from "node:fs";
import { systemCall } from "./libc.ts";

// Source: linux/mount.h, fsopen(2).
const SYS_fsopen = 430;
const SYS_fsconfig = 431;
const SYS_fsmount = 432;
const FSOPEN_CLOEXEC = 1;
const FSMOUNT_CLOEXEC = 1;
const FSCONFIG_SET_STRING = 1;
const FSCONFIG_CMD_CREATE = 6;
const MOUNT_ATTR_RDONLY = 1;

/**
 * A descriptor of several layers merged, read-only and attached nowhere: it is gone when the descriptor is closed, also by a kill.
 * One layer alone is opened as it is. The caller closes the descriptor.
 * @param lowers top first, at least one, at most 500
 */
export function openOverlayView(lowers: readonly string[]): number {
  const [first, second] = lowers;
  if (first !== undefined && second === undefined) return openSync(first, constants.O_RDONLY | constants.O_DIRECTORY);
  const context = systemCall("fsopen overlay", SYS_fsopen, "overlay", FSOPEN_CLOEXEC);
  try {
    for (const lower of lowers) systemCall(`overlay layer ${lower}`, SYS_fsconfig, context, FSCONFIG_SET_STRING, "lowerdir+", lower, 0);
    systemCall("make overlay view", SYS_fsconfig, context, FSCONFIG_CMD_CREATE, null, null, 0);
    return systemCall("mount overlay view", SYS_fsmount, context, FSMOUNT_CLOEXEC, MOUNT_ATTR_RDONLY);
  } finally {
    closeSync(context);
  }
}
