/** A promise with its two ends outside. */
export interface Deferred<T> {
  readonly promise: Promise<T>;
  readonly resolve: (value: T) => void;
  readonly reject: (reason: unknown) => void;
}

export function deferred<T>(): Deferred<T> {
  return Promise.withResolvers<T>();
}

/** Runs functions of the same key one after the other, those of different keys side by side. Bounded by its callers. */
export class KeyedMutex {
  readonly #tails = new Map<string, Promise<unknown>>();

  async run<T>(key: string, body: () => Promise<T>): Promise<T> {
    const before = this.#tails.get(key);
    const gate = deferred<void>();
    this.#tails.set(key, gate.promise);
    try {
      if (before) await before;
      return await body();
    } finally {
      if (this.#tails.get(key) === gate.promise) this.#tails.delete(key);
      gate.resolve();
    }
  }
}

/** At most `limit` bodies at once; others wait in order. */
export class Semaphore {
  readonly #waiting: (() => void)[] = [];
  #free: number;
  constructor(limit: number) {
    this.#free = limit;
  }

  async run<T>(body: () => Promise<T>): Promise<T> {
    if (this.#free > 0) this.#free--;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    try {
      return await body();
    } finally {
      this.#leave();
    }
  }

  /** One more place for somebody who can do without, if nobody waits for it; given back by disposal. */
  tryTake(): Disposable | undefined {
    if (this.#free === 0) return undefined;
    this.#free--;
    return { [Symbol.dispose]: () => this.#leave() };
  }

  #leave(): void {
    const next = this.#waiting.shift();
    if (next) next();
    else this.#free++;
  }
}

/** Resolves after `milliseconds`, or as soon as `signal` aborts (without an error). */
export function sleep(milliseconds: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted) return resolve();
    const done = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, milliseconds);
    signal?.addEventListener("abort", done, { once: true });
  });
}

/** A promise that rejects with the signal's reason when it aborts; `dispose` takes the listener away again. */
export function abortion(signal: AbortSignal): { readonly promise: Promise<never>; dispose(): void } {
  const { promise, reject } = deferred<never>();
  promise.catch(() => {}); // its reader may have left before the abort
  const onAbort = (): void => reject(signal.reason);
  if (signal.aborted) onAbort();
  else signal.addEventListener("abort", onAbort, { once: true });
  return { promise, dispose: () => signal.removeEventListener("abort", onAbort) };
}
