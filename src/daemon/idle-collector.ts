import { releaseProgramPages } from "#os/process/program-pages.ts";

/** How long nothing must have happened. */
const idleMilliseconds = 5000;
/** What the program has in memory comes back by faults, which the next command would feel: only after a long rest. */
const restMilliseconds = 60_000;

/**
 * Gives memory back after a burst of work: the garbage collector by itself is in no hurry, and an idle daemon should be small. One full
 * collection when nothing has happened for some seconds; after a minute the pages of the program that are not needed now.
 */
export class IdleCollector {
  readonly #steps = [new Step(idleMilliseconds, () => Bun.gc(true)), new Step(restMilliseconds, releaseProgramPages)];

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

/** Done once, when nothing has postponed it for a while. */
class Step {
  readonly #delayMilliseconds: number;
  readonly #run: () => void;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(delayMilliseconds: number, run: () => void) {
    this.#delayMilliseconds = delayMilliseconds;
    this.#run = run;
  }

  postpone(): void {
    if (this.#timer) {
      this.#timer.refresh();
      return;
    }
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#run();
    }, this.#delayMilliseconds);
    this.#timer.unref();
  }

  cancel(): void {
    clearTimeout(this.#timer);
  }
}
