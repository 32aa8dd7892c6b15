import { closeSync, openSync } from "node:fs";
import type { IdMap } from "#types/record/id-map.ts";
import { EngineError } from "#lib/errors.ts";
import { SystemError } from "#os/libc.ts";
import { childEnvironment } from "#os/process/self.ts";
import { makeNamespaces } from "#os/user-namespace.ts";

/**
 * The user namespace of one run, with a network namespace that it owns: settings of the network, and the mount of /sys, are the business of
 * the container's root only then. Kept by descriptors until the runtime has put a process into them.
 */
export interface UserNamespace extends Disposable {
  /** For the runtime. */
  readonly path: string;
  /** Descriptor of the network namespace. Absent for one that was joined: its network is another container's too. */
  readonly network?: number;
}

/** @throws {EngineError} `unavailable` when the host allows no more */
export function makeUserNamespace(map: IdMap): UserNamespace {
  try {
    const { user, network } = makeNamespaces(map, { network: true });
    return held(`/proc/${process.pid}/fd/${user}`, [user], network);
  } catch (error) {
    if (error instanceof SystemError && ["ENOSPC", "EUSERS", "EPERM"].includes(error.code))
      throw new EngineError("unavailable", `${error.message}: see /proc/sys/user/max_user_namespaces of the host`, { cause: error });
    throw error;
  }
}

/** Another container's, with a network namespace for this one. No process of many threads can make one there: the host's nsenter does. */
export async function shareUserNamespace(path: string): Promise<UserNamespace> {
  const program = Bun.which("nsenter");
  if (program === null) throw new EngineError("internal", "nsenter (util-linux) is needed to share the user namespace of a container");
  const child = Bun.spawn([program, `--user=${path}`, "unshare", "--net", "sh", "-c", "echo; exec cat"], {
    stdio: ["pipe", "pipe", "pipe"],
    env: childEnvironment(),
  });
  try {
    const first = await child.stdout.getReader().read();
    if (first.done) throw new EngineError("internal", `network namespace for ${path}: ${(await new Response(child.stderr).text()).trim()}`);
    return held(path, [], openSync(`/proc/${child.pid}/ns/net`, "r"));
  } finally {
    child.kill("SIGKILL");
    await child.exited;
  }
}

/** Another container's, for one that has no network of its own either. */
export function joinUserNamespace(path: string): UserNamespace {
  return held(path, [], undefined);
}

function held(path: string, descriptors: readonly number[], network: number | undefined): UserNamespace {
  return {
    path,
    ...(network !== undefined && { network }),
    [Symbol.dispose]() {
      for (const descriptor of descriptors) closeSync(descriptor);
      if (network !== undefined) closeSync(network);
    },
  };
}
