import { check, libc } from "../libc.ts";

// Source: linux/prctl.h, capabilities(7), setfsuid(2).
const PR_SET_SECUREBITS = 28;
const SECBIT_NO_SETUID_FIXUP = 4;

/**
 * What this thread makes belongs to somebody else until it is disposed, and it may still do everything: a file system of a container with a
 * user namespace takes no files of the host's root. For helper processes.
 */
export function makeFilesAs(owner: { readonly uid: number; readonly gid: number }): Disposable {
  check(libc.prctl(PR_SET_SECUREBITS, SECBIT_NO_SETUID_FIXUP, 0, 0, 0), "keep capabilities");
  libc.setfsgid(owner.gid); // the answer is the id of before
  libc.setfsuid(owner.uid);
  return {
    [Symbol.dispose]() {
      libc.setfsuid(0);
      libc.setfsgid(0);
    },
  };
}
