import { closeSync, openSync, writeFileSync } from "node:fs";
import { constants as system } from "node:os";
import type { IdMap, IdRange } from "#types/record/id-map.ts";
import { libc } from "./libc.ts";
import { startWaitingTask } from "./waiting-task.ts";

// Source: linux/sched.h, clone(2), waitpid(2).
const CLONE_NEWUSER = 0x10000000;
const CLONE_NEWNET = 0x40000000;
const WALL = 0x40000000;

/** Descriptors of namespaces that nobody is in. */
export interface NewNamespaces extends Disposable {
  readonly user: number;
  /** Owned by the user namespace. Absent unless asked for. */
  readonly network?: number;
}

/**
 * Makes a user namespace, and one for the network that belongs to it. A process with several threads cannot enter one, so a task is made in it
 * that shares this memory, waits, and is killed once its namespaces are open. Takes 0.2 ms, starts no program.
 * @throws {SystemError} `ENOSPC` when the host allows no more of them
 */
export function makeNamespaces(map: IdMap, options: { readonly network: boolean }): NewNamespaces {
  const pid = startWaitingTask(CLONE_NEWUSER | (options.network ? CLONE_NEWNET : 0));
  try {
    writeFileSync(`/proc/${pid}/uid_map`, mapText(map.uids));
    writeFileSync(`/proc/${pid}/gid_map`, mapText(map.gids));
    return openNamespaces(pid, options.network);
  } finally {
    libc.kill(pid, system.signals.SIGKILL);
    libc.waitpid(pid, null, WALL);
  }
}

function openNamespaces(pid: number, withNetwork: boolean): NewNamespaces {
  const user = openSync(`/proc/${pid}/ns/user`, "r");
  try {
    const network = withNetwork ? openSync(`/proc/${pid}/ns/net`, "r") : undefined;
    return {
      user,
      ...(network !== undefined && { network }),
      [Symbol.dispose]() {
        closeSync(user);
        if (network !== undefined) closeSync(network);
      },
    };
  } catch (error) {
    closeSync(user);
    throw error;
  }
}

function mapText(ranges: readonly IdRange[]): string {
  return ranges.map(({ containerId, hostId, size }) => `${containerId} ${hostId} ${size}\n`).join("");
}
