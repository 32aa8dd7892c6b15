import { expect, test } from "bun:test";
import { ConnectionFailure } from "./failure.ts";
import { readAtMost } from "./read-body.ts";
import { receiveBody } from "./stall.ts";

const never = new AbortController().signal;

/** A body of one byte after another, at intervals, until its reader has enough. */
function drip(intervalMilliseconds: number): { readonly response: Response; readonly isCancelled: () => boolean } {
  let cancelled = false;
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      await Bun.sleep(intervalMilliseconds);
      if (!cancelled) controller.enqueue(new Uint8Array(1));
    },
    cancel() {
      cancelled = true;
    },
  });
  return { response: new Response(body), isCancelled: () => cancelled };
}

test("a document that drips is given up in time, and its connection with it", async () => {
  const { response, isCancelled } = drip(5);
  const start = performance.now();
  await expect(readAtMost(response, 1000, 200)).rejects.toThrow("takes too long");
  expect(performance.now() - start).toBeLessThan(2000);
  expect(isCancelled()).toBe(true);
});

test("a blob that drips is a connection that has broken", async () => {
  await using server = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: () => drip(5).response });
  let takenBytes = 0;
  const receiving = receiveBody(
    (signal) => fetch(server.url, { signal }),
    async (piece) => void (takenBytes += piece.length),
    never,
    { milliseconds: 300, minimumBytes: 1000 },
  );
  const error: unknown = await receiving.catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(ConnectionFailure);
  expect(String(error)).toContain("stopped sending");
  expect(takenBytes).toBeLessThan(1000);
});

test("a body that is slow, and not as slow as that, is read to its end", async () => {
  const pieces = Array.from({ length: 10 }, () => new Uint8Array(1000));
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      await Bun.sleep(100);
      const piece = pieces.pop();
      if (piece) controller.enqueue(piece);
      else controller.close();
    },
  });
  let takenBytes = 0;
  const limit = { milliseconds: 300, minimumBytes: 1000 };
  await receiveBody(
    async () => new Response(body),
    async (piece) => void (takenBytes += piece.length),
    never,
    limit,
  );
  expect(takenBytes).toBe(10_000);
});
