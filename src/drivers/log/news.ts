import { deferred, type Deferred } from "#lib/async.ts";

/** A counter that can be waited for. Read `count` before you look for news: then none is missed. */
export class News {
  count = 0;
  #next: Deferred<void> | undefined;

  ring(): void {
    this.count++;
    this.#next?.resolve();
    this.#next = undefined;
  }

  /** Resolves when there has been news since `count` was `seen`. */
  wait(seen: number): Promise<void> {
    if (this.count !== seen) return Promise.resolve();
    this.#next ??= deferred<void>();
    return this.#next.promise;
  }
}
