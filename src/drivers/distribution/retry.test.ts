import { expect, test } from "bun:test";
import { ConnectionFailure, RegistryRefusal } from "./failure.ts";
import { withRetries } from "./retry.ts";

const never = new AbortController().signal;

/** Counts the tries of something that always fails the same way. */
async function triesOf(error: Error, options = {}): Promise<number> {
  let tries = 0;
  // The first wait is abandoned, so that nothing sleeps.
  const stop = new AbortController();
  const fail = async (): Promise<never> => {
    tries++;
    throw error;
  };
  await withRetries(fail, { ...options, onRetry: () => stop.abort() }, stop.signal).catch(() => {});
  return tries + (stop.signal.aborted ? 1 : 0);
}

test.each([
  ["503", new RegistryRefusal(503, "UNAVAILABLE", "later"), 2],
  ["429", new RegistryRefusal(429, "TOOMANYREQUESTS", "slow down"), 2],
  ["429 for an hour", new RegistryRefusal(429, "TOOMANYREQUESTS", "slow down", 3600), 1],
  ["404", new RegistryRefusal(404, "MANIFEST_UNKNOWN", "no"), 1],
  ["501", new RegistryRefusal(501, "UNSUPPORTED", "no"), 1],
  ["a reset", new ConnectionFailure("reset", true), 2],
  ["a refused connection", new ConnectionFailure("refused", false), 1],
  ["any other error", new Error("no"), 1],
])("%s is tried again or not, by its kind", async (_what, error, tries) => {
  expect(await triesOf(error)).toBe(tries);
});

test("in the middle of a pull a refused connection is tried again", async () => {
  expect(await triesOf(new ConnectionFailure("refused", false), { retriesConnections: true })).toBe(2);
});

test("a wait ends with the signal (B9)", async () => {
  const stop = new AbortController();
  const running = withRetries(
    () => Promise.reject(new ConnectionFailure("reset", true)),
    { onRetry: () => stop.abort(new Error("left")) },
    stop.signal,
  );
  await expect(running).rejects.toThrow("left");
  expect(await withRetries(async () => "at once", {}, never)).toBe("at once");
});
