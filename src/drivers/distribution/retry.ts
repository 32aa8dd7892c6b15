import { sleep } from "#lib/async.ts";
import { ConnectionFailure, RegistryRefusal } from "./failure.ts";

/** Tries of one request. */
export const maximumAttempts = 5;
const firstDelayMilliseconds = 250;
const longestDelayMilliseconds = 4000;
/** All waiting for one request together: a registry that says "later" for ever is given up within 45 seconds. */
const patienceMilliseconds = 30_000;

export interface RetryOptions {
  /** Told before each wait. */
  readonly onRetry?: ((waitMilliseconds: number) => void) | undefined;
  /** Whether a refused connection is tried again: in the middle of a pull, when the registry was there a moment ago. */
  readonly retriesConnections?: boolean;
}

/** Counts failures of one request and waits between its tries, longer each time, or as long as the registry says. */
export class Backoff {
  readonly #options: RetryOptions;
  #failures = 0;
  #waitedMilliseconds = 0;

  constructor(options: RetryOptions = {}) {
    this.#options = options;
  }

  /** Something was received: the next failure is a first one again, as far as patience lasts. */
  progressed(): void {
    this.#failures = 0;
  }

  /** Returns when it is time for another try. @throws `error` when there is none */
  async next(error: unknown, signal: AbortSignal): Promise<void> {
    const asked = retryDelay(error, this.#options.retriesConnections ?? false);
    if (asked === undefined || ++this.#failures >= maximumAttempts) throw error;
    const own = Math.min(longestDelayMilliseconds, firstDelayMilliseconds * 2 ** (this.#failures - 1)) * (0.8 + 0.4 * Math.random());
    const wait = Math.max(asked, own);
    if (this.#waitedMilliseconds + wait > patienceMilliseconds) throw error;
    this.#waitedMilliseconds += wait;
    this.#options.onRetry?.(wait);
    await sleep(wait, signal);
    signal.throwIfAborted();
  }
}

/** Runs `operation` until it succeeds, fails for good, or patience ends. */
export async function withRetries<T>(operation: () => Promise<T>, options: RetryOptions, signal: AbortSignal): Promise<T> {
  const backoff = new Backoff(options);
  for (;;) {
    try {
      return await operation();
    } catch (error) {
      await backoff.next(error, signal);
    }
  }
}

/** Milliseconds the registry wants us to wait, 0 when it does not say; undefined when another try is of no use. */
function retryDelay(error: unknown, retriesConnections: boolean): number | undefined {
  if (error instanceof ConnectionFailure) return error.isTransient || retriesConnections ? 0 : undefined;
  if (!(error instanceof RegistryRefusal)) return undefined;
  return isTemporary(error.status) ? (error.retryAfterSeconds ?? 0) * 1000 : undefined;
}

/** Whether an answer says "later" and not "no". */
export function isTemporary(status: number): boolean {
  return status === 429 || status === 408 || (status >= 500 && status !== 501);
}
