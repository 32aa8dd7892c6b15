import type { ImageProgress } from "#engine/image/progress.ts";
import { deferred, type Deferred } from "#lib/async.ts";
import { messageOf } from "#lib/errors.ts";

/** Messages of our own routes have what they tell in `aux`. */
type ProgressMessage = ImageProgress | { readonly aux: unknown };

/** Beyond this many unread messages the older ones of the same layer are dropped: a client that does not read costs no memory. */
const maximumQueue = 1024;

/**
 * Runs `work` and gives its messages as JSON lines. What fails before the first message is thrown, so that the answer has the right
 * status; a later failure is a message of its own, since the status is sent by then.
 */
export async function progressStream(
  work: (progress: (message: ProgressMessage) => void) => Promise<void>,
): Promise<AsyncIterable<string>> {
  const run: ProgressRun = { queue: [], wake: deferred<void>(), over: false, failure: undefined };
  void work((message) => {
    if (run.queue.length >= maximumQueue) dropOldest(run.queue);
    run.queue.push(message);
    run.wake.resolve();
  })
    .catch((error: unknown) => (run.failure = { error }))
    .finally(() => {
      run.over = true;
      run.wake.resolve();
    });
  await run.wake.promise;
  if (run.failure && run.queue.length === 0) throw run.failure.error;
  return progressLines(run);
}

interface ProgressRun {
  readonly queue: ProgressMessage[];
  wake: Deferred<void>;
  over: boolean;
  failure: { readonly error: unknown } | undefined;
}

async function* progressLines(run: ProgressRun): AsyncGenerator<string> {
  for (;;) {
    for (let message = run.queue.shift(); message; message = run.queue.shift()) yield `${JSON.stringify(message)}\r\n`;
    if (run.over) break;
    run.wake = deferred<void>();
    if (run.queue.length === 0) await run.wake.promise;
  }
  if (!run.failure) return;
  const message = messageOf(run.failure.error);
  yield `${JSON.stringify({ errorDetail: { message }, error: message })}\r\n`;
}

/** Counts of progress are the first to go: the next one says more. */
function dropOldest(queue: ProgressMessage[]): void {
  const index = queue.findIndex((message) => "progressDetail" in message);
  queue.splice(Math.max(index, 0), 1);
}
