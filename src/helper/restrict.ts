import { check, libc } from "#os/libc.ts";
import { starterVariable } from "#os/process/self.ts";
import { CAP_SYS_RESOURCE, dropCapability } from "#os/process/capability.ts";

// Source: linux/prctl.h, prctl(2).
const PR_SET_PDEATHSIG = 1;
const PR_SET_NO_NEW_PRIVS = 38;
const SIGKILL = 9;

/**
 * A helper works on hostile input: it starts nothing that has more rights, and does not outlive the daemon. What it writes into a volume
 * counts as what a container writes: ext4 does not keep a quota against who has the capability.
 */
export function restrictSelf(): void {
  check(libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "set no-new-privs");
  check(libc.prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0), "set parent death signal");
  // The daemon may have died before it could be told of.
  if (process.ppid !== Number(process.env[starterVariable])) process.exit(1);
  dropCapability(CAP_SYS_RESOURCE);
}
