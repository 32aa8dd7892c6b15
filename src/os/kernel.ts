import { deferred, type Deferred } from "#lib/async.ts";
import type { KernelReply, KernelRequest, KernelTask } from "./kernel-protocol.ts";
import { startWorker } from "./process/self.ts";

/** The main thread's end of the kernel worker. */
export class Kernel {
  readonly #worker = startWorker("kernel");
  readonly #waiting = new Map<number, Deferred<void>>();
  #sequence = 0;

  constructor() {
    this.#worker.onmessage = (event: MessageEvent<KernelReply>) => this.#settle(event.data);
    this.#worker.onerror = (event) => {
      for (const waiter of this.#waiting.values()) waiter.reject(new Error(`kernel worker failed: ${event.message}`));
      this.#waiting.clear();
    };
  }

  /** @throws {KernelError} with the errno's name in `code` */
  run(task: KernelTask): Promise<void> {
    const sequence = ++this.#sequence;
    const waiter = deferred<void>();
    this.#waiting.set(sequence, waiter);
    this.#worker.postMessage({ sequence, task } satisfies KernelRequest);
    return waiter.promise;
  }

  /** Ends the worker when what it was given is done. */
  async close(): Promise<void> {
    await Promise.allSettled([...this.#waiting.values()].map((waiter) => waiter.promise));
    this.#worker.terminate();
  }

  #settle(reply: KernelReply): void {
    const waiter = this.#waiting.get(reply.sequence);
    this.#waiting.delete(reply.sequence);
    if (reply.error) waiter?.reject(new KernelError(reply.error.message, reply.error.code));
    else waiter?.resolve();
  }
}

export class KernelError extends Error {
  override readonly name = "KernelError";
  readonly code: string | undefined;
  constructor(message: string, code: string | undefined) {
    super(message);
    this.code = code;
  }
}
