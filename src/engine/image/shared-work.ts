import { abortion } from "#lib/async.ts";

interface Job<Result, News> {
  readonly result: Promise<Result>;
  readonly stop: AbortController;
  readonly listeners: Set<(news: News) => void>;
  members: number;
}

/** Work that several ask for at the same time and that is done once, for all of them. It is given up when the last one leaves. */
export class SharedWork<Result, News = never> {
  readonly #jobs = new Map<string, Job<Result, News>>();

  /**
   * Joins the work called `key`, or begins it. A member whose signal aborts leaves; the last one to leave waits until the work has cleaned up.
   * @param begin  gets a signal of its own, which aborts when nobody is left
   * @param onNews  what `begin` tells while it works
   */
  async join(
    key: string,
    begin: (signal: AbortSignal, tell: (news: News) => void) => Promise<Result>,
    onNews: (news: News) => void,
    signal: AbortSignal,
  ): Promise<Result> {
    signal.throwIfAborted();
    const job = this.#jobs.get(key) ?? this.#begin(key, begin);
    const aborted = abortion(signal);
    job.members++;
    job.listeners.add(onNews);
    try {
      return await Promise.race([job.result, aborted.promise]);
    } finally {
      aborted.dispose();
      job.listeners.delete(onNews);
      job.members--;
      if (job.members === 0) await this.#abandon(key, job);
    }
  }

  #begin(key: string, begin: (signal: AbortSignal, tell: (news: News) => void) => Promise<Result>): Job<Result, News> {
    const stop = new AbortController();
    const listeners = new Set<(news: News) => void>();
    const result = begin(stop.signal, (news) => {
      for (const listener of listeners) listener(news);
    });
    const job: Job<Result, News> = { result, stop, listeners, members: 0 };
    this.#jobs.set(key, job);
    return job;
  }

  async #abandon(key: string, job: Job<Result, News>): Promise<void> {
    if (this.#jobs.get(key) === job) this.#jobs.delete(key);
    job.stop.abort();
    await job.result.catch(() => {}); // its failure has been told to those who waited for it
  }
}
