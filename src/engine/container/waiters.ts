/** When a wait is answered. Source: Engine API, ContainerWait. */
export type WaitCondition = "not-running" | "next-exit" | "removed";

export interface WaitResult {
  readonly exitCode: number;
  readonly error?: string;
}

interface Waiter {
  readonly condition: WaitCondition;
  readonly resolve: (result: WaitResult) => void;
}

const keptEnds = 256;

/** Who waits for the end or the removal of which container. */
export class Waiters {
  readonly #byContainer = new Map<string, Set<Waiter>>();
  /** Ends of containers that are gone, by id, the oldest first: for who asks a moment late. */
  readonly #gone = new Map<string, WaitResult>();

  /** A promise for the next end or removal; the caller has looked at the present state before, in the same turn. */
  add(id: string, condition: WaitCondition, signal: AbortSignal): Promise<WaitResult> {
    const { promise, resolve, reject } = Promise.withResolvers<WaitResult>();
    const waiter: Waiter = { condition, resolve };
    const set = this.#byContainer.get(id) ?? new Set();
    this.#byContainer.set(id, set.add(waiter));
    const leave = (): void => {
      this.#drop(id, waiter);
      reject(signal.reason instanceof Error ? signal.reason : new Error("the client has left"));
    };
    signal.addEventListener("abort", leave, { once: true });
    return promise.finally(() => signal.removeEventListener("abort", leave));
  }

  /** The container has ended. */
  ended(id: string, result: WaitResult): void {
    this.#answer(id, (waiter) => waiter.condition !== "removed", result);
  }

  /** The container is gone: nobody can wait for anything else. */
  removed(id: string, result: WaitResult): void {
    this.#gone.set(id, result);
    const [oldest] = this.#gone.keys();
    if (this.#gone.size > keptEnds && oldest !== undefined) this.#gone.delete(oldest);
    this.#answer(id, () => true, result);
  }

  /** How a container ended that was removed just now. */
  endOfRemoved(id: string): WaitResult | undefined {
    return this.#gone.get(id);
  }

  #answer(id: string, due: (waiter: Waiter) => boolean, result: WaitResult): void {
    for (const waiter of this.#byContainer.get(id) ?? []) {
      if (!due(waiter)) continue;
      this.#drop(id, waiter);
      waiter.resolve(result);
    }
  }

  #drop(id: string, waiter: Waiter): void {
    const set = this.#byContainer.get(id);
    set?.delete(waiter);
    if (set?.size === 0) this.#byContainer.delete(id);
  }
}
