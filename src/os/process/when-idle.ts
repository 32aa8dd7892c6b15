/** How long nothing must have happened. */
const idleMilliseconds = 5000;

/** Done once, when nothing has postponed it for a while. Keeps no process alive. */
export class WhenIdle {
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

/**
 * Gives this thread's memory back after a burst of work, since the garbage collector by itself is in no hurry: one full collection when
 * `postpone` has not been called for some seconds. Each thread has a heap of its own, and only its own code can collect it.
 */
export function collectWhenIdle(): WhenIdle {
  return new WhenIdle(idleMilliseconds, () => Bun.gc(true));
}
