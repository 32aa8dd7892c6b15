import { mkdirSync, writeFileSync } from "node:fs";
import { messageOf } from "#lib/errors.ts";
import type { Instance } from "#lib/instance.ts";
import type { Logger } from "#lib/log.ts";
import type { CgroupHierarchy } from "#os/cgroup.ts";
import { Kernel } from "#os/kernel.ts";

/** Who has just made, started or run something in a container does so again soon. It costs about a hundredth of a processor. */
const windowMilliseconds = 3000;
/** After a move the kernel stays in its fast state for about one grace period more, which is longer than this. */
const pauseMilliseconds = 8;

/**
 * Makes moves into cgroups fast. On v1 the first move after a pause waits 6 to 15 ms for the kernel's readers; moves of the daemon to where it
 * is, made from the moment a client comes until some time after the last one, take that wait off the runtime. They have a worker of their
 * own, since the write itself waits.
 */
export class CgroupWarmer {
  readonly #kernel: Kernel | undefined;
  readonly #procsFile: string;
  readonly #log: Logger;
  #busy = false;
  #until = 0;

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

  /** A start is likely, or on its way. */
  warm(): void {
    this.#until = performance.now() + windowMilliseconds;
    if (this.#busy || !this.#kernel) return;
    this.#busy = true;
    this.#keepWarm(this.#kernel)
      .catch((error: unknown) => this.#log.debug("warm write failed", { error: messageOf(error) }))
      .finally(() => (this.#busy = false));
  }

  async #keepWarm(kernel: Kernel): Promise<void> {
    for (let rest = windowMilliseconds; rest > 0; rest = this.#until - performance.now())
      await kernel.run({ type: "warm-cgroup", procsFile: this.#procsFile, milliseconds: rest, pauseMilliseconds });
  }

  close(): void {
    this.#until = 0;
    void this.#kernel?.close();
  }
}
