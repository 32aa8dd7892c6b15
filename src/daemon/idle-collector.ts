import { releaseProgramPages } from "#os/process/program-pages.ts";
import { collectWhenIdle, WhenIdle } from "#os/process/when-idle.ts";

/** Compiled code is made again, and pages of the program come back by faults, when the next command needs them: only after a long rest. */
const restMilliseconds = 60_000;

function rest(): void {
  Bun.shrink();
  releaseProgramPages();
}

/** Makes an idle daemon small: garbage goes when nothing has happened for some seconds, code and pages of the program after a minute. */
export class IdleCollector {
  readonly #steps = [collectWhenIdle(), new WhenIdle(restMilliseconds, rest)];

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
