import { mkdirSync, writeFileSync } from "node:fs";
import { messageOf } from "#lib/errors.ts";
import type { Instance } from "#lib/instance.ts";
import type { Logger } from "#lib/log.ts";
import type { CgroupHierarchy } from "#os/cgroup.ts";
import { Kernel } from "#os/kernel.ts";

/**
 * Makes moves into cgroups fast. On v1 the first move after a pause waits 11 to 15 ms for the kernel's readers; a move of the daemon to where it
 * is, made when a create arrives, takes that wait beside the request. It has a worker of its own, since the write itself waits.
 */
export class CgroupWarmer {
  readonly #kernel: Kernel | undefined;
  readonly #procsFile: string;
  readonly #log: Logger;
  #busy = false;

  constructor(instance: Instance, hierarchies: readonly CgroupHierarchy[], log: Logger) {
    this.#log = log;
    const hierarchy =
      hierarchies.find(({ version, controllers }) => version === 1 && controllers.includes("cpuacct")) ??
      hierarchies.find(({ version }) => version === 1);
    this.#procsFile = hierarchy ? `${hierarchy.path}/${instance.cgroupParent}/daemon/cgroup.procs` : "";
    if (!hierarchy) return; // v2 alone: one hierarchy, whose moves do not wait like this
    try {
      mkdirSync(`${hierarchy.path}/${instance.cgroupParent}/daemon`, { recursive: true });
      writeFileSync(this.#procsFile, String(process.pid));
      this.#kernel = new Kernel();
    } catch (error) {
      log.warn("cgroup of the daemon cannot be made: starts of containers will be slower", { error: messageOf(error) });
    }
  }

  warm(): void {
    if (this.#busy || !this.#kernel) return;
    this.#busy = true;
    this.#kernel
      .run({ type: "warm-cgroup", procsFile: this.#procsFile })
      .catch((error: unknown) => this.#log.debug("warm write failed", { error: messageOf(error) }))
      .finally(() => (this.#busy = false));
  }

  close(): void {
    void this.#kernel?.close();
  }
}
