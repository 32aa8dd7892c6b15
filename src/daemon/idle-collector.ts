/** How long nothing must have happened. */
const idleMilliseconds = 5000;

/**
 * Gives memory back after a burst of work: the garbage collector by itself is in no hurry, and an idle daemon should be small. One full
 * collection, only when nothing has happened for some seconds.
 */
export class IdleCollector {
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** Something happened. */
  touch(): void {
    if (this.#timer) {
      this.#timer.refresh();
      return;
    }
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      Bun.gc(true);
    }, idleMilliseconds);
    this.#timer.unref();
  }

  close(): void {
    clearTimeout(this.#timer);
  }
}
