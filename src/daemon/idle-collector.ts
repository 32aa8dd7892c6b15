import { releaseProgramPages } from "#os/process/program-pages.ts";
import { collectWhenIdle, WhenIdle } from "#os/process/when-idle.ts";

/** What the program has in memory comes back by faults, which the next command would feel: only after a long rest. */
const restMilliseconds = 60_000;

/** Makes an idle daemon small: garbage goes when nothing has happened for some seconds, pages of the program after a minute. */
export class IdleCollector {
  readonly #steps = [collectWhenIdle(), new WhenIdle(restMilliseconds, releaseProgramPages)];

  constructor() {
    this.touch(); // the start itself was work
  }

  /** Something happened. */
  touch(): void {
    for (const step of this.#steps) step.postpone();
  }

  close(): void {
    for (const step of this.#steps) step.cancel();
  }
}
