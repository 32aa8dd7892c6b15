import { check, cString, libc } from "./libc.ts";
import { moveMount, readMounts } from "./mount.ts";

// Source: unshare(2), mount(2), umount2(2).
const CLONE_NEWNS = 0x20000;
const MS_REC = 16384;
const MS_PRIVATE = 1 << 18;
const MNT_DETACH = 2;

/**
 * Gives this thread a mount namespace of its own, in which a detached mount is attached. Other mounts below `folder` are taken out of it, so that
 * they can go from the host while this process lives. For helper processes, which end soon after.
 * @param target  a folder below `folder`
 */
export function attachPrivately(mount: number, target: string, folder: string): void {
  check(libc.unshare(CLONE_NEWNS), "make mount namespace");
  const [none, root] = [cString(""), cString("/")];
  check(libc.mount(none, root, none, MS_REC | MS_PRIVATE, none), "make mounts private"); // what follows stays in here
  for (const { target: other } of readMounts()) if (other.startsWith(`${folder}/`)) libc.umount2(cString(other), MNT_DETACH);
  moveMount(mount, target);
}
