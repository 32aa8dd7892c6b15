import { check, libc } from "#os/libc.ts";

// Source: linux/prctl.h, prctl(2).
const PR_SET_PDEATHSIG = 1;
const PR_SET_NO_NEW_PRIVS = 38;
const SIGKILL = 9;

/** A helper works on hostile input: it starts nothing that has more rights, and does not outlive the daemon. */
export function restrictSelf(): void {
  check(libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "set no-new-privs");
  check(libc.prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0), "set parent death signal");
}
